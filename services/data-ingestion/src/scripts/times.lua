-- Which time each reading is stored under: its own, or the next free nanosecond when another `seq` of the device already
-- stands there with the same measurement. A repeat finds itself again. What is settled already is passed over.
-- ARGV, per reading: device, boot, seq, time, measurements joined by commas
-- Returns, per reading that needs it: its number (from 1), then '' (settled) or times joined by commas, one per measurement.
-- A hash of a device keeps the last times, about 128 so that Redis keeps it compact; the older half of what is settled goes
-- first. What is not settled, or stands near to what is not, may be asked for again: it stays, up to a bound that ends attacks.
local KEEP, MOST, NEAR, LIFE = 128, 4096, 64, 172800

local function owner_of(value, measurement)
  for owner, list in string.gmatch(value, '([^=;]+)=([^;]+)') do
    for one in string.gmatch(list, '[^,]+') do
      if one == measurement then return owner end
    end
  end
  return nil
end

-- Nanoseconds since 1970 do not fit a double: seconds and nanoseconds are counted apart.
local function later(time, steps)
  local seconds, nanos = tonumber(string.sub(time, 1, -10)), tonumber(string.sub(time, -9)) + steps
  if nanos >= 1000000000 then seconds, nanos = seconds + 1, nanos - 1000000000 end
  return string.format('%.0f%09d', seconds, nanos)
end

local function is_settled(device, boot, seq)
  local known = redis.call('HMGET', 'receipt:' .. device .. ':' .. boot, 'c', 'g')
  if not known[1] then return false end
  if tonumber(known[1]) >= seq then return true end
  for from, to in string.gmatch(known[2] or '', '(%d+)-(%d+)') do
    if tonumber(from) <= seq and seq <= tonumber(to) then return true end
  end
  return false
end

-- Whether nothing can ask for this place any more: a number near it may have the same time, and may still come.
local function is_over(device, boot, seq)
  local known = redis.call('HGET', 'receipt:' .. device .. ':' .. boot, 'c')
  return known and tonumber(known) >= seq + NEAR
end

local function prune(key, device)
  local all, entries = redis.call('HGETALL', key), {}
  for i = 1, #all, 2 do entries[#entries + 1] = {all[i], all[i + 1]} end
  -- A hash that has grown out of its compact form has no order: the oldest go first by their time, 19 digits each.
  table.sort(entries, function(a, b) return a[1] < b[1] end)
  for i = 1, #entries - KEEP / 2 do
    local done = #entries > MOST
    if not done then
      done = true
      for boot, seq in string.gmatch(entries[i][2], '([^:=;]+):(%d+)=') do
        if not is_over(device, boot, tonumber(seq)) then done = false end
      end
    end
    if done then redis.call('HDEL', key, entries[i][1]) end
  end
end

local result = {}
local number = 0
for i = 1, #ARGV, 5 do
  number = number + 1
  local device, boot, seq, time, measurements = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  if is_settled(device, boot, tonumber(seq)) then
    result[#result + 1] = number
    result[#result + 1] = ''
  else
    local key, me = 'times:' .. device, boot .. ':' .. seq
    local value = redis.call('HGET', key, time)
    if not value then
      redis.call('HSET', key, time, me .. '=' .. measurements)
      local count = redis.call('HLEN', key)
      -- Not at every reading while nothing is settled.
      if count > KEEP and count % 32 == 0 then prune(key, device) end
      if count == 1 or count > KEEP then redis.call('EXPIRE', key, LIFE) end
    elseif value ~= me .. '=' .. measurements then
      local times, moved = {}, false
      for measurement in string.gmatch(measurements, '[^,]+') do
        local steps = 0
        while true do
          local at = later(time, steps)
          local there = redis.call('HGET', key, at)
          local owner = there and owner_of(there, measurement)
          if owner == me then
            break
          elseif not owner then
            redis.call('HSET', key, at, (there and there .. ';' or '') .. me .. '=' .. measurement)
            break
          end
          steps = steps + 1
        end
        if steps > 0 then moved = true end
        times[#times + 1] = later(time, steps)
      end
      if moved then
        result[#result + 1] = number
        result[#result + 1] = table.concat(times, ',')
      end
      if redis.call('HLEN', key) > MOST then prune(key, device) end
    end
  end
end
return result
