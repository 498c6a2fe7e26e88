-- Writes feature rows, each only where it is as new as what is stored. Equal times overwrite: a retry changes nothing.
-- ARGV: format of a row, key time to live in seconds (0: none), timestamp field, value fields..., rows
-- A row, by the format: the hash's key, its timestamp (google.protobuf.Timestamp), a value for each field.
-- Returns how many rows were written.
local format, ttl, ts_field = ARGV[1], ARGV[2], ARGV[3]
local fields, blob = #ARGV - 4, ARGV[#ARGV]

local hset = {'HSET', '', ts_field, ''}
for i = 1, fields do
  hset[3 + 2 * i] = ARGV[3 + i]
end

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
  return parts[1], parts[2]
end

local function older(one, other)
  local one_s, one_n = decode(one)
  local other_s, other_n = decode(other)
  return one_s < other_s or (one_s == other_s and one_n < other_n)
end

local position, written = 1, 0
while position <= #blob do
  local row = {struct.unpack(format, blob, position)}
  position = row[fields + 3]
  local stored = redis.call('HGET', row[1], ts_field)
  if not stored or stored == row[2] or older(stored, row[2]) then
    hset[2], hset[4] = row[1], row[2]
    for i = 1, fields do
      hset[4 + 2 * i] = row[2 + i]
    end
    redis.call(unpack(hset))
    if ttl ~= '0' then
      redis.call('EXPIRE', row[1], ttl)
    end
    written = written + 1
  end
end
return written
