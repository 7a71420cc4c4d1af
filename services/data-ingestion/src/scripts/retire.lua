-- Removes a consumer that shows no life and has nothing pending: both must hold in the moment of its removal, as removing it
-- throws away what is pending. KEYS: stream, its sign. ARGV: group, its name. Returns whether it was removed.
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1
