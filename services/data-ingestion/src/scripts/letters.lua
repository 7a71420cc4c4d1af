-- Keeps dead letters within their bounds: the oldest go first. Returns how many went. Stands before scripts that need it.
-- KEYS[3]: dead letters; KEYS[4]: counter of their bytes
local function keep_letters(letters, most, most_bytes)
  for _, letter in ipairs(letters) do
    redis.call('XADD', KEYS[3], '*', 'l', letter)
    redis.call('INCRBY', KEYS[4], #letter)
  end
  local count, dropped = redis.call('XLEN', KEYS[3]), 0
  local bytes = tonumber(redis.call('GET', KEYS[4]) or '0')
  while count > 0 and (count > most or bytes > most_bytes) do
    local oldest = redis.call('XRANGE', KEYS[3], '-', '+', 'COUNT', 1)[1]
    redis.call('XDEL', KEYS[3], oldest[1])
    bytes = redis.call('DECRBY', KEYS[4], #oldest[2][2])
    count, dropped = count - 1, dropped + 1
  end
  return dropped
end
