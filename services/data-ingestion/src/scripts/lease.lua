-- Takes or keeps a slot. KEYS: slot, set of slots with a session. ARGV: our token, lease in ms, the slot's number
-- Returns 1 when the slot is ours.
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SADD', KEYS[2], ARGV[3])
return 1
