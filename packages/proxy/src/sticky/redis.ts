/** Bindings that all proxies share. Redis's clock counts, not theirs. */
import type { Redis } from '../redis/redis.ts'
import { luaScript } from '../redis/script.ts'
import { isOfAlias, type Binding, type Binds, type StickyStore } from './store.ts'

const PREFIX = 'millrace:sticky:'
/** Nobody's request waits for a clearing. */
const CLEAR_DEADLINE_MS = 5_000
const KEYS_A_STEP = '1000'

/** A value is `route boundAt expiresAt`. It stays for a second lifetime, in which it can be told that it has expired. */
const COMMON = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local route, bound, expires
local value = redis.call('GET', KEYS[1])
if value then route, bound, expires = string.match(value, '^(%S+) (%d+) (%d+)$') end
local live = route and now < tonumber(expires)
local function set(to, since, ttl)
  local value = string.format('%s %.0f %.0f', to, since, now + ttl)
  redis.call('SET', KEYS[1], value, 'PX', string.format('%.0f', 2 * ttl))
  return to, since, now + ttl
end
`

/** ARGV: lifetime, proposed route, accepted routes. */
const BIND = luaScript(`${COMMON}
local action = 'BIND'
if live then
  action = 'REBIND_UNAVAILABLE'
  for i = 3, #ARGV do
    if ARGV[i] == route then action = 'HIT' end
  end
elseif route then
  action = 'REBIND_EXPIRED'
end
if action == 'HIT' then
  route, bound, expires = set(route, tonumber(bound), tonumber(ARGV[1]))
else
  route, bound, expires = set(ARGV[2], now, tonumber(ARGV[1]))
end
return {route, bound, expires, action}
`)

/** ARGV: lifetime, from, to. */
const MOVE = luaScript(`${COMMON}
if not live then return false end
if route == ARGV[2] then route, bound, expires = set(ARGV[3], now, tonumber(ARGV[1])) end
return {route, tonumber(bound), tonumber(expires)}
`)

/** KEYS: some bindings. ARGV: how long ago it was wanted that they be forgotten. */
const CLEAR = luaScript(`
local time = redis.call('TIME')
local wanted = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1])
local cleared = 0
for _, key in ipairs(KEYS) do
  local value = redis.call('GET', key)
  local bound = value and tonumber(string.match(value, '^%S+ (%d+) '))
  if bound and bound <= wanted then cleared = cleared + redis.call('UNLINK', key) end
end
return cleared
`)

type Reply = readonly [routeId: string, boundAt: number, expiresAt: number]

export class RedisBindings implements StickyStore {
  readonly #redis: Redis

  constructor(redis: Redis) {
    this.#redis = redis
  }

  async bind(key: string, accept: readonly string[], proposed: string, ttlMs: number): Promise<Binds> {
    const reply = await this.#redis.run(BIND, [PREFIX + key], [String(ttlMs), proposed, ...accept])
    const [, , , action] = reply as [...Reply, Binds['action']]
    return { binding: bindingOf(reply as Reply), action }
  }

  async move(key: string, from: string, to: string, ttlMs: number): Promise<Binding | null> {
    const reply = await this.#redis.run(MOVE, [PREFIX + key], [String(ttlMs), from, to])
    return reply === null ? null : bindingOf(reply as Reply)
  }

  async clear(aliasId: string, key: string | null, ageMs: number): Promise<number> {
    if (key !== null) return isOfAlias(key, aliasId) ? this.#forget([PREFIX + key], ageMs) : 0
    const match = `${PREFIX}${aliasId.replace(/[\\*?[\]]/g, String.raw`\$&`)}:*`
    let cleared = 0
    let cursor = '0'
    do {
      const reply = await this.#redis.command(['SCAN', cursor, 'MATCH', match, 'COUNT', KEYS_A_STEP], CLEAR_DEADLINE_MS)
      const [next, keys] = reply as [string, string[]]
      if (keys.length > 0) cleared += await this.#forget(keys, ageMs)
      cursor = next
    } while (cursor !== '0')
    return cleared
  }

  async #forget(keys: readonly string[], ageMs: number): Promise<number> {
    return (await this.#redis.run(CLEAR, keys, [String(Math.round(ageMs))], CLEAR_DEADLINE_MS)) as number
  }
}

function bindingOf([routeId, boundAt, expiresAt]: Reply): Binding {
  return { routeId, boundAt, expiresAt }
}
