-- After InfluxDB has taken a batch: acknowledges and removes its entries, keeps its dead letters, and moves the receipts on.
-- KEYS: stream, byte counter, dead letters
-- ARGV: group, receipts' life in seconds, most dead letters,
--       count of entries, then id and bytes of each; count of dead letters, then each;
--       then per device and boot: device, boot, ranges 'a-b,c-d' (sorted), refused 'seq=reason,…'
-- Returns: trimmed dead letters, then per device and boot: highest contiguous number, its last refusals
-- A receipt is a hash: c = highest contiguous number, g = ranges beyond it, r = last refusals.
local RANGES, REFUSALS, BOOTS = 256, 32, 16
local at = 4
local function next_argument()
  at = at + 1
  return ARGV[at - 1]
end

local entries = tonumber(next_argument())
local freed = 0
for _ = 1, entries do
  local id, bytes = next_argument(), tonumber(next_argument())
  redis.call('XACK', KEYS[1], ARGV[1], id)
  if redis.call('XDEL', KEYS[1], id) == 1 then freed = freed + bytes end
end
if freed > 0 and redis.call('DECRBY', KEYS[2], freed) < 0 then redis.call('SET', KEYS[2], '0') end

local letters = tonumber(next_argument())
for _ = 1, letters do redis.call('XADD', KEYS[3], '*', 'l', next_argument()) end
local trimmed = letters > 0 and redis.call('XTRIM', KEYS[3], 'MAXLEN', ARGV[3]) or 0

local result = {trimmed}
while at <= #ARGV do
  local device, boot, added, refused = next_argument(), next_argument(), next_argument(), next_argument()
  local key = 'receipt:' .. device .. ':' .. boot
  local known = redis.call('HMGET', key, 'c', 'g', 'r')
  local c = tonumber(known[1] or '0')
  local ranges = {}
  for _, text in ipairs({known[2] or '', added}) do
    for from, to in string.gmatch(text, '(%d+)-(%d+)') do ranges[#ranges + 1] = {tonumber(from), tonumber(to)} end
  end
  table.sort(ranges, function(a, b) return a[1] < b[1] end)
  local gaps = {}
  for _, range in ipairs(ranges) do
    local last = gaps[#gaps]
    if range[1] <= c + 1 then
      c = math.max(c, range[2])
    elseif last and range[1] <= last[2] + 1 then
      last[2] = math.max(last[2], range[2])
    elseif #gaps < RANGES then
      -- Beyond the bound a number is forgotten: its device repeats it, and it overwrites itself.
      gaps[#gaps + 1] = range
    end
  end
  local texts = {}
  for _, range in ipairs(gaps) do
    if range[1] <= c + 1 then
      c = math.max(c, range[2])
    else
      texts[#texts + 1] = string.format('%.0f-%.0f', range[1], range[2])
    end
  end
  local refusals = known[3] or ''
  if #refused > 0 then
    local list, seen = {}, {}
    for one in string.gmatch(refusals .. ',' .. refused, '[^,]+') do
      if not seen[one] then
        seen[one] = true
        list[#list + 1] = one
      end
    end
    refusals = table.concat(list, ',', math.max(1, #list - REFUSALS + 1))
  end
  local text = string.format('%.0f', c)
  redis.call('HSET', key, 'c', text, 'g', table.concat(texts, ','), 'r', refusals)
  redis.call('EXPIRE', key, ARGV[2])
  if not known[1] then
    -- A device that invents boots does not fill the memory.
    local boots = 'boots:' .. device
    redis.call('LREM', boots, 0, boot)
    redis.call('LPUSH', boots, boot)
    while redis.call('LLEN', boots) > BOOTS do
      redis.call('DEL', 'receipt:' .. device .. ':' .. redis.call('RPOP', boots))
    end
    redis.call('EXPIRE', boots, ARGV[2])
  end
  result[#result + 1] = text
  result[#result + 1] = refusals
end
return result
