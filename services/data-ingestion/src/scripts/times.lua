-- Which time each reading is stored under: its own, or the next free nanosecond when another `seq` of the device already
-- stands there with the same measurement. A repeat finds itself again. What is settled already is passed over.
-- ARGV, per reading: device, boot, seq, time, measurements joined by commas
-- Returns, per reading that needs it: its number (from 1), then '' (settled) or times joined by commas, one per measurement.
-- A hash of a device keeps the last times, at most 128 so that Redis keeps it compact; the older half goes first.
local KEEP, LIFE = 128, 172800

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

local function prune(key)
  local all = redis.call('HKEYS', key)
  for i = 1, #all - KEEP / 2, 50 do
    redis.call('HDEL', key, unpack(all, i, math.min(i + 49, #all - KEEP / 2)))
  end
end

local result = {}
local number = 0
for i = 1, #ARGV, 5 do
  number = number + 1
  local device, boot, seq, time, measurements = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local settled = redis.call('HGET', 'receipt:' .. device .. ':' .. boot, 'c')
  if settled and tonumber(settled) >= tonumber(seq) then
    result[#result + 1] = number
    result[#result + 1] = ''
  else
    local key, me = 'times:' .. device, boot .. ':' .. seq
    local value = redis.call('HGET', key, time)
    if not value then
      redis.call('HSET', key, time, me .. '=' .. measurements)
      local count = redis.call('HLEN', key)
      if count > KEEP then prune(key) end
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
      if redis.call('HLEN', key) > KEEP then prune(key) end
    end
  end
end
return result
