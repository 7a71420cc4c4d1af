-- Shows that a consumer lives. KEYS: its sign. ARGV: for how many ms
redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])
return 1
