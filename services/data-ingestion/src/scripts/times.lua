-- Which time each reading is stored under: its own, or the next free nanosecond when another number of the device already
-- stands there with the same measurement. A repeat finds itself again, and is passed over when it is settled.
-- ARGV, per reading: device, boot, seq, time (19 digits), measurements joined by commas, whether an operator replays it (1 or 0)
-- Returns, per reading that needs it: its number (from 1), then '' (a settled repeat), '-' (no place is free) or times joined by
-- commas, one per measurement.
-- A device has a hash of its last times:
--   <time> = <boot>:<seq>=<measurement>,…;…          who stands there
--   <time>/<boot>:<seq> = <measurement>@<steps>,…    where one stands whose own time it is, but who came too late for it
--   <time>+<measurement> = <steps>                   from where on a place may be free for those that come after
--   low = <time>                                     up to where times may have been forgotten
-- What is forgotten first is old and over: 64 to 128 fields stay, as Redis keeps so small a hash compact. What is not settled, or
-- stands near to what is not, may be asked for again: it stays, up to a bound that ends attacks.
local KEEP, MOST, NEAR, LIFE = 64, 4096, 64, 172800
-- A reading moves by less than a microsecond, and looks at so many taken places at once.
local FURTHEST, CROWD = 999, 64

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
  return string.format('%010.0f%09d', seconds, nanos)
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

-- Steps from its own time, per measurement of a reading that has a place; whether all have one.
local function known_places(key, time, there, me, measurements)
  if not there then return {}, false end
  local steps, all = {}, true
  local moved = there ~= me .. '=' .. measurements and redis.call('HGET', key, time .. '/' .. me) or ''
  for measurement, count in string.gmatch(moved or '', '([^@,]+)@(%d+)') do steps[measurement] = tonumber(count) end
  for measurement in string.gmatch(measurements, '[^,]+') do
    if not steps[measurement] and owner_of(there, measurement) == me then steps[measurement] = 0 end
    if not steps[measurement] then all = false end
  end
  return steps, all
end

-- Whether a place is free for a measurement, or its own already; then it is taken.
local function take(key, at, me, measurement)
  local there = redis.call('HGET', key, at)
  local owner = there and owner_of(there, measurement)
  if not owner then redis.call('HSET', key, at, (there and there .. ';' or '') .. me .. '=' .. measurement) end
  return not owner or owner == me
end

-- Takes the first free place after its time: steps from there, or nil.
local function take_later(key, time, me, measurement)
  local hint = time .. '+' .. measurement
  local from = tonumber(redis.call('HGET', key, hint) or '1')
  local last = math.min(from + CROWD - 1, FURTHEST)
  for steps = from, last do
    if take(key, later(time, steps), me, measurement) then
      redis.call('HSET', key, hint, steps + 1)
      return steps
    end
  end
  redis.call('HSET', key, hint, last + 1)
  return nil
end

-- Places for what has none yet. Returns times joined by commas, '' when all are its own, nil when there is no room.
local function take_all(key, time, me, measurements, steps)
  local times, moved = {}, {}
  for measurement in string.gmatch(measurements, '[^,]+') do
    local count = steps[measurement]
    if not count then
      count = take(key, time, me, measurement) and 0 or take_later(key, time, me, measurement)
      if not count then return nil end
      steps[measurement] = count
    end
    times[#times + 1] = later(time, count)
  end
  for measurement, count in pairs(steps) do
    if count > 0 then moved[#moved + 1] = measurement .. '@' .. count end
  end
  if #moved == 0 then return '' end
  redis.call('HSET', key, time .. '/' .. me, table.concat(moved, ','))
  return table.concat(times, ',')
end

-- Whether nothing can ask for this place any more: a number near it may have the same time, and may still come.
local function is_over(device, owner, contiguous)
  local boot, seq = string.match(owner, '^([^:]+):(%d+)$')
  if not boot then return true end
  if contiguous[boot] == nil then
    contiguous[boot] = tonumber(redis.call('HGET', 'receipt:' .. device .. ':' .. boot, 'c') or '-1')
  end
  return contiguous[boot] >= tonumber(seq) + NEAR
end

local function prune(key, device)
  local all, times, groups, fields = redis.call('HGETALL', key), {}, {}, 0
  for i = 1, #all, 2 do
    local field, value = all[i], all[i + 1]
    if field ~= 'low' then
      local time, mark = string.sub(field, 1, 19), string.sub(field, 20, 20)
      local group = groups[time]
      if not group then
        group = {fields = {}, owners = {}}
        groups[time], times[#times + 1] = group, time
      end
      group.fields[#group.fields + 1] = field
      fields = fields + 1
      if mark == '/' then
        group.owners[#group.owners + 1] = string.sub(field, 21)
      elseif mark == '' then
        for owner in string.gmatch(value, '([^=;]+)=') do group.owners[#group.owners + 1] = owner end
      end
    end
  end
  table.sort(times)
  local contiguous, low = {}, nil
  for _, time in ipairs(times) do
    if fields <= KEEP then break end
    local group = groups[time]
    local done = fields > MOST / 2 and #all > 2 * MOST
    if not done then
      done = true
      for _, owner in ipairs(group.owners) do
        if not is_over(device, owner, contiguous) then
          done = false
          break
        end
      end
    end
    if done then
      for _, field in ipairs(group.fields) do redis.call('HDEL', key, field) end
      fields = fields - #group.fields
      low = time
    end
  end
  if low then
    local before = redis.call('HGET', key, 'low')
    if not before or before < low then redis.call('HSET', key, 'low', low) end
  end
end

local result, sizes = {}, {}
local number = 0
for i = 1, #ARGV, 6 do
  number = number + 1
  local device, boot, seq, time, measurements = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local key, me = 'times:' .. device, boot .. ':' .. seq
  if not sizes[device] then sizes[device] = redis.call('HLEN', key) end
  local there = redis.call('HGET', key, time)
  local steps, has_all = known_places(key, time, there, me, measurements)
  local answer = nil
  -- A settled number alone proves nothing: who counts from 1 again under the same boot sends other readings. It is a repeat
  -- when it stands where it stood, or is older than what is remembered.
  if ARGV[i + 5] == '0' and is_settled(device, boot, tonumber(seq)) then
    local low = not has_all and redis.call('HGET', key, 'low')
    if has_all or (low and time <= low) then answer = '' end
  end
  if not answer and not there then
    redis.call('HSET', key, time, me .. '=' .. measurements)
  elseif not answer then
    answer = take_all(key, time, me, measurements, steps) or '-'
    if answer == '' then answer = nil end
  end
  if answer then
    result[#result + 1] = number
    result[#result + 1] = answer
  end
end
for device, before in pairs(sizes) do
  local key = 'times:' .. device
  local count = redis.call('HLEN', key)
  if count ~= before then
    redis.call('EXPIRE', key, LIFE)
    -- Not at every call while nothing is settled.
    if count >= 2 * KEEP and math.floor(count / 32) ~= math.floor(before / 32) then prune(key, device) end
  end
end
return result
