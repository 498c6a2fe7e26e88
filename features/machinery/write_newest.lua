-- Writes feature rows, each only where it is as new as what is stored. Equal times overwrite: a retry changes nothing.
-- ARGV: format of a row, how long its key is needed in seconds (0: for ever), timestamp field, value fields..., rows
-- A row, by the format: the hash's key, its timestamp (google.protobuf.Timestamp), a value for each field.
-- Returns how many rows were written.
local format, needed_s, ts_field = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local fields, blob = #ARGV - 4, ARGV[#ARGV]
local call, unpack_row = redis.call, struct.unpack

-- Other views share the key: its time to live is made longer where this row needs it, never shorter. A lap is a 64th of
-- the time needed. A key is set to two laps more than needed where it has less than one more: so one written all the
-- time is not set anew, and replicated, with every row. And a row of a lap that still lasts, by event time and by the
-- clock, need not even ask: the row that it replaces did so in the same lap, and left the key one lap more than needed.
local needed_ms, lap_ms = needed_s * 1000, math.ceil(needed_s / 64) * 1000
local clock = call('TIME')
local now_ms = clock[1] * 1000 + math.floor(clock[2] / 1000)

local hset = {'HSET', '', ts_field, ''}
for i = 1, fields do
  hset[3 + 2 * i] = ARGV[3 + i]
end

-- Read a value at a time: a new table for each row would cost as much as reading its values.
local cells = {}
for cell in string.gmatch(format, '%u%d*c0') do
  cells[#cells + 1] = '<' .. cell
end
local row_format = cells[1] .. string.sub(cells[2], 2)

-- Seconds and nanoseconds of a Timestamp. A negative part takes ten bytes: far larger than any time, so it is put first.
local function decode(message)
  local parts, position, length = {0, 0}, 1, #message
  while position <= length do
    local number, value, factor = string.byte(message, position) / 8, 0, 1
    repeat
      position = position + 1
      local byte = string.byte(message, position)
      value = value + (byte % 128) * factor
      factor = factor * 128
    until byte < 128
    position = position + 1
    parts[number] = factor > 2 ^ 64 and -1 or value
  end
  return parts
end

-- Rows of a batch, and what they replace, share a few ends of windows: each is decoded once a call.
local decoded = {}
local function time(message)
  local parts = decoded[message]
  if not parts then
    parts = decode(message)
    if needed_s > 0 then
      local lap = math.floor(parts[1] * 1000 / lap_ms)
      parts.lap = (lap + 1) * lap_ms > now_ms and lap or nil
    end
    decoded[message] = parts
  end
  return parts
end

local function older(one, other)
  local a, b = time(one), time(other)
  return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2])
end

-- A key's time to live, as PTTL tells it before this row is written: -2: there is no such key, -1: it is kept for ever.
local function keep(key, left_ms)
  if needed_s == 0 then
    if left_ms >= 0 then
      call('PERSIST', key)
    end
  elseif left_ms == -2 or (left_ms >= 0 and left_ms < needed_ms + lap_ms) then
    call('PEXPIRE', key, needed_ms + 2 * lap_ms)
  end
end

local position, written = 1, 0
while position <= #blob do
  local key, stamp
  key, stamp, position = unpack_row(row_format, blob, position)
  for i = 1, fields do
    hset[4 + 2 * i], position = unpack_row(cells[2 + i], blob, position)
  end
  local stored = call('HGET', key, ts_field)
  if not stored or stored == stamp or older(stored, stamp) then
    local lap = time(stamp).lap
    local asked = stored and lap and time(stored).lap == lap
    local left_ms = not asked and call('PTTL', key)
    hset[2], hset[4] = key, stamp
    call(unpack(hset))
    if left_ms then
      keep(key, left_ms)
    end
    written = written + 1
  end
end
return written
