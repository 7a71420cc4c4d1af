-- Gives a slot back. KEYS: slot, set of slots with a session. ARGV: our token, the slot's number, whether its session has ended
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
if ARGV[3] == '1' then redis.call('SREM', KEYS[2], ARGV[2]) end
return 1
