-- Adds a block to the stream if there is room, and dead letters in any case (their own stream drops its oldest, counted).
-- KEYS: stream, byte counter, dead letters, counter of their bytes
-- ARGV: most entries, most bytes, block (may be empty), most dead letters, most bytes of them, then each dead letter (JSON)
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
local letters = {}
for i = 6, #ARGV do letters[#letters + 1] = ARGV[i] end
local dropped = #letters > 0 and keep_letters(letters, tonumber(ARGV[4]), tonumber(ARGV[5])) or 0
return {1, dropped}
