"""The steps of a room in Redis, as one Lua script: Redis runs no other command meanwhile, so two processes never disagree.

KEYS  meta (hash: epoch, seq, ids, presenter, bytes), people (hash: id → JSON without id and here), badges (hash: id →
      "session|connection"), seen (sorted set: id by milliseconds), gone (set of ids), states (hash: key → body without
      braces), seqs (hash: key → "seq|from")
ARGV  step, channel, time to live in seconds, gone_ms, vanish_ms, then what the step needs; each step below says what

JSON is never read or written by Lua, whose numbers and empty lists are not those of JSON: it comes and goes as text.
"""

SCRIPT = """
local meta, people, badges, seen, gone, states, seqs = unpack(KEYS)
local step, channel, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3])
local gone_ms, vanish_ms = tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function presenter() return redis.call('HGET', meta, 'presenter') or '' end
local function tell(kind, rest)
  redis.call('PUBLISH', channel, '{"v":1,"kind":"' .. kind .. '",' .. rest .. '}')
end
local function next_seq() return redis.call('HINCRBY', meta, 'seq', 1) end

local function people_told()
  local ids = redis.call('HKEYS', people)
  table.sort(ids, function(a, b) return tonumber(string.sub(a, 2)) < tonumber(string.sub(b, 2)) end)
  local told = {}
  for _, id in ipairs(ids) do
    local here = redis.call('SISMEMBER', gone, id) == 0 and 'true' or 'false'
    told[#told + 1] = '{"id":"' .. id .. '","here":' .. here .. ',' .. redis.call('HGET', people, id) .. '}'
  end
  return '[' .. table.concat(told, ',') .. ']'
end
local function tell_people() tell('people', '"seq":' .. next_seq() .. ',"people":' .. people_told()) end
local function present(id)
  redis.call('HSET', meta, 'presenter', id)
  tell('presenter', '"seq":' .. next_seq() .. ',"presenter":"' .. id .. '"')
end
local function remove(ids)
  local was = false
  for _, id in ipairs(ids) do
    redis.call('HDEL', people, id)
    redis.call('HDEL', badges, id)
    redis.call('ZREM', seen, id)
    redis.call('SREM', gone, id)
    was = was or presenter() == id
  end
  tell_people()
  if was then present('') end
end
local function sweep()
  local ids = redis.call('ZRANGEBYSCORE', seen, '-inf', now - gone_ms)
  if #ids > 0 then remove(ids) end
end
local function state_told(key, body)
  local seq, from = string.match(redis.call('HGET', seqs, key), '^(%d+)|(.*)$')
  return '"seq":' .. seq .. ',"from":"' .. from .. '",' .. body
end
local function view()
  local told = {}
  local found = redis.call('HGETALL', states)
  for place = 1, #found, 2 do told[#told + 1] = '{' .. state_told(found[place], found[place + 1]) .. '}' end
  local seq = tonumber(redis.call('HGET', meta, 'seq') or '0')
  return {redis.call('HGET', meta, 'epoch') or '', seq, presenter(), people_told(), '[' .. table.concat(told, ',') .. ']'}
end
local function keep()
  for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ttl) end
end

if step == 'view' then return view() end

if step == 'enter' then -- session, connection, person's JSON, again, epoch, most people, a new epoch
  local session, connection, fields, id, epoch = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10]
  redis.call('HSETNX', meta, 'epoch', ARGV[12])
  sweep()
  local badge = redis.call('HGET', badges, id)
  local is_same = badge and string.match(badge, '^(.-)|') == session and epoch == redis.call('HGET', meta, 'epoch')
  if not is_same then
    if redis.call('HLEN', people) >= tonumber(ARGV[11]) then return {} end
    id = 'p' .. redis.call('HINCRBY', meta, 'ids', 1)
  end
  redis.call('HSET', people, id, fields)
  redis.call('HSET', badges, id, session .. '|' .. connection)
  redis.call('ZADD', seen, now, id)
  redis.call('SREM', gone, id)
  tell('replaced', '"id":"' .. id .. '","connection":"' .. connection .. '"')
  tell_people()
  if redis.call('HLEN', people) == 1 and presenter() == '' then present(id) end
  keep()
  local found = view()
  found[6] = id
  return found
end

-- All other steps are somebody's: id, connection
local id, connection = ARGV[6], ARGV[7]
local badge = redis.call('HGET', badges, id)
local is_here = badge and string.match(badge, '|(.*)$') == connection

if step == 'beat' then
  if not is_here then return -1 end
  redis.call('ZADD', seen, now, id)
  sweep()
  keep()
  return tonumber(redis.call('HGET', meta, 'seq'))
end
if step == 'lost' then
  if is_here then
    redis.call('ZADD', seen, now, id)
    redis.call('SADD', gone, id)
    tell_people()
  end
  return ''
end
if step == 'leave' then
  if is_here then remove({id}) end
  return ''
end
if step == 'take' then -- 1 for staff
  if not is_here then return 'not here' end
  local holder = presenter()
  local last = holder ~= '' and redis.call('ZSCORE', seen, holder)
  if ARGV[8] ~= '1' and holder ~= id and last and tonumber(last) > now - vanish_ms then return 'is presenting' end
  present(id)
  return ''
end

if not is_here or presenter() ~= id then return 'not presenter' end
if step == 'give' then -- to
  if redis.call('HEXISTS', people, ARGV[8]) == 0 or redis.call('SISMEMBER', gone, ARGV[8]) == 1 then
    return 'not here'
  end
  present(ARGV[8])
  return ''
end
if step == 'state' then -- key, body, most bytes, most keys
  local key, body = ARGV[8], ARGV[9]
  local old = redis.call('HGET', states, key)
  local bytes = tonumber(redis.call('HGET', meta, 'bytes') or '0') - (old and #old or 0) + #body
  local is_one_too_many = not old and redis.call('HLEN', states) >= tonumber(ARGV[11])
  if bytes > tonumber(ARGV[10]) or is_one_too_many then return 'too much' end
  redis.call('HSET', meta, 'bytes', bytes)
  redis.call('HSET', states, key, body)
  redis.call('HSET', seqs, key, next_seq() .. '|' .. id)
  tell('state', state_told(key, body))
  return ''
end
return redis.error_reply('no such step')
"""
