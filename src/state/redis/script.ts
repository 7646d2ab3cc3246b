// What Redis itself does: one script for a table of streams, one for a sender's epochs. Each call is atomic, on the
// server's clock. The table's script is the same rule as stream-table.ts (docs/wire.md, section 8), and a property test
// holds the two against each other.

import { createHash } from "node:crypto";
import { WIRE } from "../../wire/limits.js";

/** A script and the name by which the server knows it. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

const script = (text: string): Script => ({ text, sha1: createHash("sha1").update(text).digest("hex") });

/** How long an answer to a nonce may take, in microseconds (one minute): a later one is asked again. */
const NONCE_LIFE = 60_000_000;

/**
 * Carries out a list of calls, in their order, as one step.
 *
 * KEYS: a hash of the table's own fields, its streams (":" and name), the chunks of their windows ("#", index, ":" and
 * name) and nonces ("?" and name); the streams' names by when they were heard, with a mark in front of all others; the
 * names that were asked, by when; and of the caller's last batch the number and the answers.
 *
 * ARGV: window, limit of streams, limit of nonces, idle (µs), a name for a life that begins now, the lives of the table
 * that the caller met as JSON (the last one is the one it knows), five moments, the number of this batch among the
 * caller's, how long its answers are kept (ms), and the calls as JSON. The moments: when
 * the oldest call was made, and when this was sent, both at the earliest and if the clock has run on since; the deadline;
 * the latest one that was handed to the caller, and the first one of the life that it knows.
 *
 * Moments are the table's own: they are the server's clock, but each is later than all before it, also where the clock
 * is set back.
 *
 * Errors leave no half of a change behind that would let anything in: `since` is raised before anything is forgotten,
 * and a stream is written before its old window goes.
 */
export const TABLE_SCRIPT = script(`
local TABLE, HEARD, ASKED, DONE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local WINDOW, LIMIT, NONCES, IDLE = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local NEW_LIFE, LIVES = ARGV[5], cjson.decode(ARGV[6])
local CALLED, SENT, DEADLINE = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local SEEN, OPENED = tonumber(ARGV[10]), tonumber(ARGV[11])
local BATCH, KEEP = tonumber(ARGV[12]), tonumber(ARGV[13])
-- Milliseconds that keys are kept when nobody uses them.
local LIFE = math.floor(IDLE / 500)
-- Streams that are looked at in a call for whether a revoked key moved them.
local STEP = 64
-- Numbers to a chunk of a window: a power of two, so that doubles divide by it exactly.
local CHUNK = 1024
-- Stands among the moments at which streams were heard, after all of them: gone if the set is.
local MARK = ${WIRE.maxNumber}
local ROW = ">ddddI4"

local function text(number) return string.format("%.0f", number) end

-- Of which process and of which replication history this is: a primary that became a replica for a while is the same
-- process, and holds what the other had.
local info = {}
for section, field in pairs({ server = "run_id", replication = "master_replid" }) do
  local told = redis.pcall("INFO", section)
  if type(told) ~= "string" then return { "no-info", told.err } end
  info[section] = string.match(told, field .. ":(%x+)")
  if not info[section] then return { "no-info", "it tells no " .. field } end
end
local history = info.server .. "/" .. info.replication

-- Is this the memory that was written here? One that was flushed or evicted is not whole, and one that was written in
-- another history may lack its last writes. What it still knows of when it was used lasts.
local held = redis.call("HMGET", TABLE, "life", "history", "window", "since", "forgot", "moment", "revoked")
local newest = redis.call("ZREVRANGE", HEARD, 0, 1, "WITHSCORES")
local life, since, forgot = held[1], tonumber(held[4] or 0), tonumber(held[5] or 0)
local last_heard = since
for at = 2, #newest, 2 do
  local moment = tonumber(newest[at])
  if moment < MARK then last_heard = math.max(last_heard, moment) end
end

local time = redis.call("TIME")
local clock = time[1] * 1000000 + time[2]
local now = math.max(clock, math.max(tonumber(held[6] or 0), since, last_heard, SEEN) + 1)

local function raise(moment)
  since = math.max(since, moment)
  redis.call("HSET", TABLE, "since", text(since), "forgot", text(forgot))
end

-- A life that the caller met, and another one after it: what that one heard is not known here.
local is_abandoned = false
for at = 1, #LIVES - 1 do is_abandoned = is_abandoned or LIVES[at] == life end

if not life or held[2] ~= history or newest[1] ~= "" or is_abandoned then
  forgot, life, held[7] = life and 1 or 0, NEW_LIFE, nil
  redis.call("UNLINK", TABLE, HEARD, ASKED)
  redis.call("HSET", TABLE, "life", life, "history", history, "window", text(WINDOW))
  raise(now)
  redis.call("ZADD", HEARD, text(MARK), "")
elseif tonumber(held[3]) ~= WINDOW then
  return { "window", held[3] }
end

local function reply(status, answers)
  redis.call("HSET", TABLE, "moment", text(now))
  for _, key in ipairs({ TABLE, HEARD, ASKED }) do redis.call("PEXPIRE", key, text(LIFE)) end
  return { status, text(now), text(since), text(redis.call("ZCARD", HEARD) - 1), life, unpack(answers) }
end

-- A client sends again what broke off before the answer: it has happened, and the answers are the same.
local last, kept = string.match(redis.call("GET", DONE) or "0 []", "^(%d+) (.*)$")
if BATCH == tonumber(last) then return reply("done", cjson.decode(kept)) end
if BATCH < tonumber(last) then return reply("overdue", {}) end

-- Held up on the way for so long that its caller has given it up: it must not happen any more.
if DEADLINE > 0 and now > DEADLINE then return reply("overdue", {}) end

-- What was known of another life is no moment of this one.
if life ~= LIVES[#LIVES] then OPENED = math.huge end
-- The clock went back since: what was reckoned by it is not to be relied on.
if clock < SENT then CALLED = math.min(CALLED, SEEN) end

local function unpacked(packed)
  local epoch, last, first, since, key = struct.unpack(ROW, packed)
  return { epoch = epoch, last = last, first = first, since = since, key = key }
end

local function chunk_field(stream, index) return "#" .. text(index) .. ":" .. stream end

-- Forgets the chunks that hold these numbers.
local function drop(stream, from, to)
  local fields = {}
  for index = math.floor(math.max(from, 0) / CHUNK), math.floor(to / CHUNK) do
    fields[#fields + 1] = chunk_field(stream, index)
  end
  if #fields > 0 then redis.call("HDEL", TABLE, unpack(fields)) end
end

local function drop_window(stream, row)
  if WINDOW > 0 then drop(stream, row.last - WINDOW + 1, row.last) end
end

local function remove(stream)
  local packed = redis.call("HGET", TABLE, ":" .. stream)
  redis.call("HDEL", TABLE, ":" .. stream)
  redis.call("ZREM", HEARD, stream)
  if packed then drop_window(stream, unpacked(packed)) end
end

-- Streams, each followed by when it was last heard.
local function forget(streams)
  for at = 1, #streams, 2 do
    forgot = 1
    raise(tonumber(streams[at + 1]))
    remove(streams[at])
  end
end

-- While there may be streams that a revoked key moved last: until which moment each key's are forgotten, and from where
-- to where streams are still to be looked at. One that was not looked at yet is forgotten when it is found.
local revoked = held[7] and cjson.decode(held[7])

local function is_revoked(row, heard)
  local moment = revoked.moments[text(row.key)]
  return moment and tonumber(heard) <= tonumber(moment)
end

local function find(stream)
  local packed = redis.call("HGET", TABLE, ":" .. stream)
  if not packed then return nil end
  local row = unpacked(packed)
  if not revoked then return row end
  local heard = redis.call("ZSCORE", HEARD, stream)
  if not is_revoked(row, heard) then return row end
  forget({ stream, heard })
  return nil
end

-- A few at every call, in the order in which they were heard: what is heard meanwhile comes after all of them.
local function look_for_revoked()
  if not revoked then return end
  local from, to = "(" .. revoked.from, revoked.to
  local streams = redis.call("ZRANGEBYSCORE", HEARD, from, to, "WITHSCORES", "LIMIT", 0, STEP)
  for at = 1, #streams, 2 do
    local packed = redis.call("HGET", TABLE, ":" .. streams[at])
    if packed and is_revoked(unpacked(packed), streams[at + 1]) then forget({ streams[at], streams[at + 1] }) end
  end
  if #streams < 2 * STEP then
    revoked = nil
    redis.call("HDEL", TABLE, "revoked")
  else
    revoked.from = streams[#streams]
    redis.call("HSET", TABLE, "revoked", cjson.encode(revoked))
  end
end

local function make_room()
  local excess = redis.call("ZCARD", HEARD) - LIMIT
  -- A limit that was lowered is reached in steps, for nobody else is served meanwhile.
  if excess > 0 then forget(redis.call("ZRANGE", HEARD, 0, math.min(excess, 100) - 1, "WITHSCORES")) end
end

local function forget_nonces(streams)
  for _, stream in ipairs(streams) do
    redis.call("HDEL", TABLE, "?" .. stream)
    redis.call("ZREM", ASKED, stream)
  end
end

-- Who was not heard for long goes first, a few at every call.
forget(redis.call("ZRANGEBYSCORE", HEARD, "-inf", text(now - IDLE), "WITHSCORES", "LIMIT", 0, 16))
forget_nonces(redis.call("ZRANGEBYSCORE", ASKED, "-inf", text(now - ${NONCE_LIFE}), "LIMIT", 0, 16))
look_for_revoked()
local since_before = since

local function is_set(chunk, number)
  local at = number % CHUNK
  local byte = string.byte(chunk, math.floor(at / 8) + 1) or 0
  return bit.band(byte, bit.lshift(1, at % 8)) ~= 0
end

local function with_bit(chunk, number)
  local at = number % CHUNK
  local before = math.floor(at / 8)
  if #chunk <= before then chunk = chunk .. string.rep("\\0", before + 1 - #chunk) end
  local byte = bit.bor(string.byte(chunk, before + 1), bit.lshift(1, at % 8))
  return string.sub(chunk, 1, before) .. string.char(byte) .. string.sub(chunk, before + 2)
end

local function load(stream, index) return redis.call("HGET", TABLE, chunk_field(stream, index)) or "" end

local function why_not_in_window(stream, row, from, to)
  local index, chunk
  for number = from, to do
    if number > row.last then return nil end
    if number < row.first or row.last - number >= WINDOW then return "below-window" end
    if math.floor(number / CHUNK) ~= index then
      index = math.floor(number / CHUNK)
      chunk = load(stream, index)
    end
    if is_set(chunk, number) then return "replayed" end
  end
end

local function mark(stream, row, from, to)
  from = math.max(from, row.last - WINDOW + 1)
  for index = math.floor(from / CHUNK), math.floor(to / CHUNK) do
    local chunk = load(stream, index)
    for number = math.max(from, index * CHUNK), math.min(to, index * CHUNK + CHUNK - 1) do
      chunk = with_bit(chunk, number)
    end
    redis.call("HSET", TABLE, chunk_field(stream, index), chunk)
  end
end

local function write(stream, row, epoch, sequence, count, key)
  if not row then
    make_room()
    row = { epoch = -1, last = 0, since = since }
  end
  local old = { epoch = row.epoch, last = row.last }
  if epoch > old.epoch then row.epoch, row.last, row.first = epoch, 0, sequence end
  row.last, row.key = math.max(row.last, sequence + count - 1), key
  local packed = struct.pack(ROW, row.epoch, row.last, row.first, row.since, row.key)
  redis.call("HSET", TABLE, ":" .. stream, packed)
  if WINDOW > 0 then
    local reach = math.floor((row.last - WINDOW + 1) / CHUNK) * CHUNK
    if epoch > old.epoch then
      if old.epoch >= 0 then drop_window(stream, old) end
    else
      drop(stream, old.last - WINDOW + 1, math.min(old.last, reach - 1))
    end
    if count > 0 then mark(stream, row, sequence, sequence + count - 1) end
  end
  redis.call("ZADD", HEARD, text(now), stream)
end

local function since_of(row) return row and row.since or since end

-- What was live when it was asked still proves something if nothing was forgotten since; what this very call forgets,
-- it forgets in the order in which it was asked to.
local function is_live_still(row)
  return CALLED >= OPENED and CALLED >= math.min(since_of(row), since_before)
end

-- The same of what was asked at a moment (0: before the caller knew one, but after it met this life of the table).
local function is_live_since(row, mark)
  if mark < 0 then return is_live_still(row) end
  if mark == 0 then return forgot == 0 and life == LIVES[1] end
  return mark >= OPENED and mark >= since_of(row)
end

local function admit(stream, epoch, sequence, count, key, signed_after, live, to_fresh_name)
  local row = find(stream)
  local known = row and epoch <= row.epoch
  if not known then
    local proven = signed_after > since_of(row)
      or (live and is_live_still(row))
      or (to_fresh_name and forgot == 0 and life == LIVES[1])
    if not proven then return "unproven " .. text(since_of(row)) end
  else
    if epoch < row.epoch then return "stale-epoch" end
    if WINDOW == 0 and sequence <= row.last then return "replayed" end
    local why = WINDOW > 0 and why_not_in_window(stream, row, sequence, sequence + count - 1)
    if why then return why end
  end
  local late = known and sequence < row.last
  write(stream, row, epoch, sequence, count, key)
  return late and "late" or "new"
end

local function begin(stream, epoch, sequence, key, is_live)
  local row = find(stream)
  if row and epoch < row.epoch then return "stale-epoch" end
  if row and epoch == row.epoch then return "begun" end
  if not is_live(row) then return "unasked" end
  write(stream, row, epoch, sequence + 1, 0, key)
  return "begun"
end

-- The nonce of a stream and when it was asked: what is answered to it was signed after that.
local function nonce_of(stream)
  local at = tonumber(redis.call("ZSCORE", ASKED, stream) or 0)
  local nonce = at > now - ${NONCE_LIFE} and redis.call("HGET", TABLE, "?" .. stream)
  if nonce then return nonce, at end
end

local function ask(stream, nonce)
  local standing, at = nonce_of(stream)
  if standing and at >= since_of(find(stream)) then return standing end
  if redis.call("ZCARD", ASKED) >= NONCES then forget_nonces(redis.call("ZRANGE", ASKED, 0, 0)) end
  redis.call("HSET", TABLE, "?" .. stream, nonce)
  redis.call("ZADD", ASKED, text(now), stream)
  return nonce
end

local function answered(stream, answer, epoch, sequence, key)
  local standing, at = nonce_of(stream)
  if standing ~= answer then return "unasked" end
  forget_nonces({ stream })
  return begin(stream, epoch, sequence, key, function(row) return at >= since_of(row) end)
end

local function epoch_of(stream)
  local row = find(stream)
  return text(row and row.epoch or 0)
end

local function forget_key(key)
  raise(now)
  revoked = { moments = revoked and revoked.moments or {}, from = "-inf", to = text(now) }
  revoked.moments[text(key)] = text(now)
  look_for_revoked()
  if revoked then
    -- There may be more of them.
    forgot = 1
    raise(now)
  end
  return "forgotten"
end

local CALLS = {
  admit = admit,
  begin = function(stream, epoch, sequence, key, mark)
    return begin(stream, epoch, sequence, key, function(row) return is_live_since(row, mark) end)
  end,
  ask = ask,
  answered = answered,
  epochOf = epoch_of,
  forgetKey = forget_key,
}

local answers = {}
for at, call in ipairs(cjson.decode(ARGV[14])) do
  answers[at] = CALLS[call[1]](unpack(call, 2))
  -- No two calls share a moment.
  now = now + 1
end

redis.call("SET", DONE, text(BATCH) .. " " .. cjson.encode(answers), "PX", text(math.min(KEEP, LIFE)))
return reply("done", answers)
`);

/**
 * KEYS: what was stored of a sender's epochs. ARGV: the least that is asked for, how many more to store, and how long to
 * keep it after the clock has passed it (µs).
 */
export const EPOCH_SCRIPT = script(`
local MOST = ${WIRE.maxNumber}
local function text(number) return string.format("%.0f", number) end
local stored = redis.call("GET", KEYS[1]) or "0"
local epoch = math.max((tonumber(string.match(stored, "^%d+$")) or MOST) + 1, tonumber(ARGV[1]))
if epoch > MOST then return { "unusable", stored } end
local clock = redis.call("TIME")
local forgotten_at = math.max(epoch, clock[1] * 1000000 + clock[2]) + tonumber(ARGV[3])
redis.call("SET", KEYS[1], text(math.min(epoch + tonumber(ARGV[2]), MOST)))
redis.call("PEXPIREAT", KEYS[1], text(math.floor(forgotten_at / 1000)))
return { "given", text(epoch) }
`);
