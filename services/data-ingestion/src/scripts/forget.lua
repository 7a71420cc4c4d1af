-- Removes a dead letter. KEYS: dead letters, counter of their bytes. ARGV: its id. Returns whether it was there.
local letter = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not letter then return 0 end
redis.call('XDEL', KEYS[1], ARGV[1])
if redis.call('DECRBY', KEYS[2], #letter[2][2]) < 0 then redis.call('SET', KEYS[2], '0') end
return 1
