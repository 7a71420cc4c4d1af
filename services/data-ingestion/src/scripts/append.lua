-- Adds a block to the stream if there is room, and dead letters in any case (their own stream drops its oldest, counted).
-- KEYS: stream, byte counter, dead letters
-- ARGV: most entries, most bytes, block (may be empty), most dead letters, then each dead letter (JSON)
local trimmed = 0
if #ARGV[3] > 0 then
  local bytes = tonumber(redis.call('GET', KEYS[2]) or '0')
  local entries = redis.call('XLEN', KEYS[1])
  -- An empty stream takes any block: one that is larger than the bound would otherwise wait for ever.
  if entries >= tonumber(ARGV[1]) or (entries > 0 and bytes + #ARGV[3] > tonumber(ARGV[2])) then
    return {0, 0}
  end
  redis.call('XADD', KEYS[1], '*', 'b', ARGV[3])
  redis.call('INCRBY', KEYS[2], #ARGV[3])
end
for i = 5, #ARGV do
  redis.call('XADD', KEYS[3], '*', 'l', ARGV[i])
end
if #ARGV > 4 then
  trimmed = redis.call('XTRIM', KEYS[3], 'MAXLEN', ARGV[4])
end
return {1, trimmed}
