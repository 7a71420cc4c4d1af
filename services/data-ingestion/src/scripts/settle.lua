-- After InfluxDB has taken a batch: acknowledges and removes its entries, keeps its dead letters, and moves the receipts on.
-- KEYS: stream, byte counter, dead letters, counter of their bytes
-- ARGV: group, receipts' life in seconds, most dead letters, most bytes of them,
--       count of entries, then id and bytes of each; count of dead letters, then each;
--       then per device and boot: device, boot, ranges 'a-b,c-d' (sorted), refused 'seq=reason,…',
--       up to which number the device keeps none, whether a row may begin with this (1) or all are replays (0)
-- Returns: dropped dead letters, then per device and boot: highest contiguous number, its last refusals
-- A receipt is a hash: c = highest contiguous number, g = ranges beyond it, r = last refusals.
local RANGES, REFUSALS, BOOTS = 256, 32, 16
local at = 5
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

local letters = {}
for _ = 1, tonumber(next_argument()) do letters[#letters + 1] = next_argument() end
local dropped = #letters > 0 and keep_letters(letters, tonumber(ARGV[3]), tonumber(ARGV[4])) or 0

local result = {dropped}
while at <= #ARGV do
  local device, boot, added, refused = next_argument(), next_argument(), next_argument(), next_argument()
  local given_up, begins = tonumber(next_argument()), next_argument() == '1'
  local key = 'receipt:' .. device .. ':' .. boot
  local known = redis.call('HMGET', key, 'c', 'g', 'r')
  -- A number that the device does not keep will never come: a row that was forgotten, or has a hole, goes on behind it.
  local c = math.max(tonumber(known[1] or '0'), given_up)
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
  if known[1] or begins then
    redis.call('HSET', key, 'c', text, 'g', table.concat(texts, ','), 'r', refusals)
    redis.call('EXPIRE', key, ARGV[2])
    -- A device that invents boots does not fill the memory; those that were heard of last stay.
    local boots = 'boots:' .. device
    if redis.call('LINDEX', boots, 0) ~= boot then
      redis.call('LREM', boots, 0, boot)
      redis.call('LPUSH', boots, boot)
      while redis.call('LLEN', boots) > BOOTS do
        redis.call('DEL', 'receipt:' .. device .. ':' .. redis.call('RPOP', boots))
      end
    end
    redis.call('EXPIRE', boots, ARGV[2])
  end
  -- Nothing is told of a row that nobody knows.
  result[#result + 1] = (known[1] or begins) and text or ''
  result[#result + 1] = refusals
end
return result
