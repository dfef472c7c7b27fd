/**
 * What Redis does with limits, each script in one step. Lua counts in doubles: money is two whole numbers, dollars and the
 * picodollars beyond them, and a quota's requests are the dollars of a sum without a rest.
 *
 * A sum is a hash: `s` what is spent, `r` what claims hold, `x` what it was raised by because control knew more. Each has its
 * whole and its rest: `sw`, `sp`, … A bucket is a hash: its level, its limit, and when that was so. Slots are a sorted set of
 * claims by the ends of their leases. `open` has the claims of one process that are not settled, `gone` what became of some
 * that nobody would guess.
 */
import { luaScript } from '../redis/script.ts'

const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local REST = 1000000000000
local NAMES = {'sw', 'sp', 'rw', 'rp', 'xw', 'xp'}
local S, R, X = 1, 3, 5
local function whole(n) return string.format('%.0f', n) end
-- Redis takes no time that is beyond what it can write as a whole number.
local function lifetime(ms) return whole(math.min(math.ceil(ms), 1000000000000)) end
local function read(key)
  local sum = redis.call('HMGET', key, unpack(NAMES))
  for i = 1, 6 do sum[i] = tonumber(sum[i] or 0) end
  return sum
end
local function write(key, sum, ttl)
  local given = {}
  for i = 1, 6 do
    given[2 * i - 1] = NAMES[i]
    given[2 * i] = whole(sum[i])
  end
  redis.call('HSET', key, unpack(given))
  redis.call('PEXPIRE', key, ttl)
end
-- What is in a bucket by now, and its limit; nil if there is none, which is a full one.
local function filled(key)
  local level, limit, at = unpack(redis.call('HMGET', key, 'level', 'limit', 'at'))
  if not level then return nil end
  level, limit = tonumber(level), tonumber(limit)
  return math.min(limit, level + math.max(0, now - tonumber(at)) * limit / 60000), limit
end
local function fill(key, level, limit)
  redis.call('HSET', key, 'level', string.format('%.17g', level), 'limit', whole(limit), 'at', string.format('%.3f', now))
  redis.call('PEXPIRE', key, lifetime((limit - level) * 60000 / limit + 1000))
end
local function less(aw, ap, bw, bp) return aw < bw or (aw == bw and ap < bp) end
local function add(sum, i, w, p)
  w, p = sum[i] + w, sum[i + 1] + p
  if p >= REST then w, p = w + 1, p - REST end
  sum[i], sum[i + 1] = w, p
end
-- Never below nothing: what it was taken from may have been forgotten.
local function take(sum, i, w, p)
  w, p = sum[i] - w, sum[i + 1] - p
  if p < 0 then w, p = w - 1, p + REST end
  if w < 0 then w, p = 0, 0 end
  sum[i], sum[i + 1] = w, p
end
local function raise(sum, w, p)
  if not less(sum[S], sum[S + 1], w, p) then return false end
  local missing = {w, p}
  take(missing, 1, sum[S], sum[S + 1])
  add(sum, X, missing[1], missing[2])
  sum[S], sum[S + 1] = w, p
  return true
end
-- What comes late may be among what control knew already, and the sum was raised to.
local function spend(sum, w, p, late)
  if late then
    local known = {sum[X], sum[X + 1]}
    if less(w, p, known[1], known[2]) then known = {w, p} end
    take(sum, X, known[1], known[2])
    local rest = {w, p}
    take(rest, 1, known[1], known[2])
    w, p = rest[1], rest[2]
  end
  add(sum, S, w, p)
end
`

/**
 * Takes what a claim asks for, or nothing.
 * KEYS: open, gone, processes; buckets; slots; sums.
 * ARGV: claim, process, what it is in `open`, lease; how many buckets, slots, sums; of each bucket limit and wanted; of
 * each slots the most; of each sum its limit and the amount, what control knows, when to try again (-1: never) and how long
 * it is kept.
 * Answers: which stands in the way for longest (0: none; -1: this claim was settled before it came here), milliseconds until
 * it may not (-1: never), the buckets' levels in thousandths, what is spent of each sum, whole and rest.
 */
export const ADMIT = luaScript(`${COMMON}
local claim, process, value, lease = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local buckets, slots, sums = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
if redis.call('HEXISTS', KEYS[2], claim) == 1 then return {-1, 0} end
local worst, wait = 0, 0
local function refuse(index, ms)
  if worst == 0 or (wait >= 0 and (ms < 0 or ms > wait)) then worst, wait = index, ms end
end
local key, arg = 3, 7
local function numbers(n)
  local given = {}
  for i = 1, n do given[i] = tonumber(ARGV[arg + i]) end
  arg = arg + n
  return given
end
local all = {}
for i = 1, buckets do
  local limit, wanted = unpack(numbers(2))
  local level, before = filled(KEYS[key + i])
  level = level or limit
  if before and limit > before then level = level + limit - before end
  level = math.min(limit, level)
  if wanted > limit then refuse(i, -1)
  elseif level + 0.000001 < wanted then refuse(i, math.ceil((wanted - level) * 60000 / limit)) end
  all[i] = {level, limit, wanted}
end
for i = buckets + 1, buckets + slots do
  local most = numbers(1)[1]
  redis.call('ZREMRANGEBYSCORE', KEYS[key + i], '-inf', whole(now))
  if redis.call('ZCARD', KEYS[key + i]) >= most then refuse(i, 1000) end
end
for i = buckets + slots + 1, buckets + slots + sums do
  local mw, mp, aw, ap, kw, kp, retry, ttl = unpack(numbers(8))
  local sum = read(KEYS[key + i])
  raise(sum, kw, kp)
  local over
  if aw == 0 and ap == 0 then
    over = (mw > 0 or mp > 0) and not less(sum[S], sum[S + 1], mw, mp)
  else
    local total = {sum[S], sum[S + 1]}
    add(total, 1, sum[R], sum[R + 1])
    add(total, 1, aw, ap)
    over = less(mw, mp, total[1], total[2])
  end
  if over then refuse(i, retry) end
  all[i] = {sum, aw, ap, ttl}
end
if worst == 0 then
  for i = 1, buckets do
    local level, limit, wanted = unpack(all[i])
    level = level - wanted
    all[i][1] = level
    fill(KEYS[key + i], level, limit)
  end
  for i = buckets + 1, buckets + slots do
    redis.call('ZADD', KEYS[key + i], whole(now + lease), claim)
    redis.call('PEXPIRE', KEYS[key + i], whole(2 * lease))
  end
  for i = buckets + slots + 1, buckets + slots + sums do
    local sum, aw, ap, ttl = unpack(all[i])
    add(sum, R, aw, ap)
    write(KEYS[key + i], sum, ttl)
  end
  redis.call('HSET', KEYS[1], claim, value)
  redis.call('ZADD', KEYS[3], whole(now), process)
end
local answer = {worst, wait}
for i = 1, buckets do answer[#answer + 1] = math.floor(all[i][1] * 1000 + 0.5) end
for i = buckets + slots + 1, buckets + slots + sums do
  answer[#answer + 1] = whole(all[i][1][S])
  answer[#answer + 1] = whole(all[i][1][S + 1])
end
return answer
`)

/**
 * Settles a claim, once, however often it is told.
 * KEYS: open, gone; buckets; slots; sums.
 * ARGV: claim; who admitted it: `here` Redis (what it does not know any more was told before, or forgotten with all else),
 * `elsewhere` perhaps somebody else; `late` or nothing; how long `gone` is kept; how many buckets, slots, sums; of each bucket its limit and
 * what is given back; of each sum what was held, what was spent, and how long it is kept.
 */
export const SETTLE = luaScript(`${COMMON}
local claim, from, late = ARGV[1], ARGV[2], ARGV[3] == 'late'
local buckets, slots, sums = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local open = redis.call('HDEL', KEYS[1], claim) == 1
local gone = not open and redis.call('HGET', KEYS[2], claim)
if gone == 'lost' then
  redis.call('HDEL', KEYS[2], claim)
elseif gone or (from == 'here' and not open) then
  return 0
end
if from == 'elsewhere' then
  redis.call('HSET', KEYS[2], claim, 'settled')
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
local arg = 7
for i = 1, buckets do
  local key, limit, back = KEYS[2 + i], tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 2])
  arg = arg + 2
  if open and back ~= 0 then
    local level, before = filled(key)
    limit = before or limit
    level = math.min(limit, (level or limit) + back)
    if before or level < limit then fill(key, level, limit) end
  end
end
for i = 1, slots do redis.call('ZREM', KEYS[2 + buckets + i], claim) end
for i = 1, sums do
  local key = KEYS[2 + buckets + slots + i]
  local held = {tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 2])}
  local spent = {tonumber(ARGV[arg + 3]), tonumber(ARGV[arg + 4])}
  local sum = read(key)
  if open then take(sum, R, held[1], held[2]) end
  if gone == 'lost' then take(sum, S, held[1], held[2]) end
  spend(sum, spent[1], spent[2], late)
  write(key, sum, ARGV[arg + 5])
  arg = arg + 5
end
return 1
`)

/** Raises sums. KEYS: sums. ARGV: of each what control knows, and how long it is kept. */
export const RAISE = luaScript(`${COMMON}
for i = 1, #KEYS do
  local sum = read(KEYS[i])
  if raise(sum, tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])) then write(KEYS[i], sum, ARGV[3 * i]) end
end
`)

/** Renews leases. KEYS: slots. ARGV: lease; of each the claim. */
export const RENEW = luaScript(`${COMMON}
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], whole(now + tonumber(ARGV[1])), ARGV[i + 1])
  redis.call('PEXPIRE', KEYS[i], whole(2 * tonumber(ARGV[1])))
end
`)

/**
 * A process shows that it lives. KEYS: processes; what it has. ARGV: process; silence after which one is dead; how long
 * what it has is kept. Answers: the dead.
 */
export const BEAT = luaScript(`${COMMON}
redis.call('ZADD', KEYS[1], whole(now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
for i = 2, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', whole(now - tonumber(ARGV[2])), 'LIMIT', '0', '10')
`)

/**
 * Takes a claim over from a dead process, for which it counts in full. One process gets it.
 * KEYS: processes, its open, its gone, our lost; sums. ARGV: process; silence after which it is dead; claim; what it is; how
 * long `gone` is kept; of each sum what was held, and how long it is kept.
 */
export const ADOPT = luaScript(`${COMMON}
local seen = redis.call('ZSCORE', KEYS[1], ARGV[1])
if seen and tonumber(seen) > now - tonumber(ARGV[2]) then return 0 end
if redis.call('HDEL', KEYS[2], ARGV[3]) == 0 then return 0 end
if #KEYS == 4 then return 1 end
for i = 5, #KEYS do
  local arg = 3 * (i - 5) + 5
  local w, p = tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 2])
  local sum = read(KEYS[i])
  take(sum, R, w, p)
  add(sum, S, w, p)
  write(KEYS[i], sum, ARGV[arg + 3])
end
redis.call('HSET', KEYS[3], ARGV[3], 'lost')
redis.call('PEXPIRE', KEYS[3], ARGV[5])
redis.call('HSET', KEYS[4], ARGV[3], ARGV[4])
return 1
`)

/** Takes over a record that a dead process may not have sent. KEYS: its lost, our lost. ARGV: claim; what it is. */
export const INHERIT = luaScript(`
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
`)

/** Forgets a dead process that has left nothing. KEYS: processes; what it could have. ARGV: process; silence after which it is dead. */
export const BURY = luaScript(`${COMMON}
local seen = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not seen or tonumber(seen) > now - tonumber(ARGV[2]) or redis.call('EXISTS', KEYS[2], KEYS[3]) > 0 then return 0 end
return redis.call('ZREM', KEYS[1], ARGV[1])
`)
