/** The answer cache with Redis: what proxies share, what a purge by any of them leaves, and what Redis costs when it is away. */
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { newId } from '@millrace/shared'
import { pino } from 'pino'

import { openCache, type AnswerCache, type Fill } from '../../packages/proxy/dist/cache/cache.js'
import { Redis } from '../../packages/proxy/dist/redis/redis.js'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { waitFor } from '../helpers/wait.ts'
import { cacheKey, here, KEY, SCOPE, storedAnswer } from './cache/answers.ts'

const MIB = 1_048_576
const SILENT = pino({ level: 'silent' })
/** Generous, because tests share the machine. */
const DEADLINE_MS = 2_000

const skip = await redisUnusable()
if (skip !== false) console.log(`# these tests are skipped: ${skip}`)

const disposables = new AsyncDisposableStack()
after(() => disposables.disposeAsync())

suite('the answer cache with Redis', { skip }, () => {
  interface Proxy {
    readonly cache: AnswerCache
    readonly redis: Redis
  }

  async function proxyAt({ url }: RedisServer, bytes = 4 * MIB): Promise<Proxy> {
    const redis = new Redis(url, SILENT, DEADLINE_MS)
    disposables.defer(() => redis.close())
    redis.start()
    await waitFor(() => redis.ready, { what: 'Redis to be ready' })
    return { redis, cache: openCache({ bytes, redis, log: SILENT }) }
  }

  async function twoProxies(): Promise<{ server: RedisServer; one: Proxy; other: Proxy }> {
    const server = disposables.use(await RedisServer.start())
    return { server, one: await proxyAt(server), other: await proxyAt(server) }
  }

  /** Asks, stores, and waits until Redis has it. */
  async function keep({ cache, redis }: Proxy, key = KEY, answer = storedAnswer()): Promise<void> {
    const { fill } = await cache.look(key, answer, 0)
    assert.notEqual(fill.mark, null)
    assert.equal(cache.store(key, answer, fill), true)
    await waitFor(async () => ((await redis.command(['KEYS', `millrace:cache:*:${key}`])) as string[]).length === 1)
  }

  test('shares answers, and keeps what was shared', async () => {
    const { one, other } = await twoProxies()
    const answer = storedAnswer()
    await keep(one, KEY, answer)
    assert.deepEqual((await other.cache.look(KEY, SCOPE)).hit, { answer, tier: 'SHARED' })
    assert.deepEqual(here(other.cache).hit, { answer, tier: 'MEMORY' })
    assert.deepEqual(here(one.cache).hit, { answer, tier: 'MEMORY' })
    assert.equal(other.cache.report().stores, 0)
  })

  test('shares none that is older than wanted, or none at all if none is', async () => {
    const { one, other } = await twoProxies()
    await keep(one, KEY, storedAnswer({ storedAt: Date.now() - 10_000 }))
    for (const maxAgeMs of [0, 9_000]) {
      const { hit, fill } = await other.cache.look(KEY, SCOPE, maxAgeMs)
      assert.equal(hit, null)
      assert.notEqual(fill.mark, null)
    }
    assert.equal((await other.cache.look(KEY, SCOPE, 60_000)).hit?.answer.etag, '"abc"')
  })

  test('works without memory', async () => {
    const { server, one } = await twoProxies()
    const bare = await proxyAt(server, 0)
    await keep(bare)
    for (const { cache } of [bare, bare, one]) assert.equal((await cache.look(KEY, SCOPE)).hit?.tier, 'SHARED')
  })

  test('asks Redis once for what many want to know at once', async () => {
    const { one, other } = await twoProxies()
    await keep(one)
    await other.redis.command(['CONFIG', 'RESETSTAT'])
    const found = await Promise.all(Array.from({ length: 1_000 }, async () => other.cache.look(KEY, SCOPE)))
    assert.equal(found.filter(({ hit }) => hit?.tier === 'SHARED').length, 1)
    assert.equal(found.filter(({ hit }) => hit?.tier === 'MEMORY').length, 999)
    const stats = String(await other.redis.command(['INFO', 'commandstats']))
    assert.match(stats, /cmdstat_getrange:calls=1,/)
  })

  test('finds what another request has stored while Redis was asked', async () => {
    const { one } = await twoProxies()
    const asking = one.cache.look(KEY, SCOPE)
    const { fill } = await one.cache.look(cacheKey('two'), SCOPE)
    const late = one.cache.look(cacheKey('two'), SCOPE)
    one.cache.store(cacheKey('two'), storedAnswer(), fill)
    assert.equal((await asking).hit, null)
    assert.equal((await late).hit?.tier, 'MEMORY')
  })

  test('gives nobody what a purge means, whoever has carried it out', async () => {
    const { one, other } = await twoProxies()
    for (let i = 0; i < 5; i++) await keep(one, cacheKey(String(i)))
    await keep(one, KEY, storedAnswer({ model: 'slow' }))
    const fills: Fill[] = []
    for (const { cache } of [one, other]) fills.push((await cache.look(cacheKey('fill'), SCOPE)).fill)
    const id = newId()
    // The other proxy was not told yet, and has in memory what it has: but Redis knows.
    assert.equal(await one.cache.purge({ projectId: null, model: 'fast' }, id), 10)
    for (let i = 0; i < 5; i++) {
      for (const { cache } of [one, other]) assert.equal((await cache.look(cacheKey(String(i)), SCOPE)).hit, null)
    }
    assert.equal((await other.cache.look(KEY, { ...SCOPE, model: 'slow' })).hit?.tier, 'SHARED')
    assert.equal(one.cache.store(cacheKey('fill'), storedAnswer(), fills[0]!), false)
    assert.equal(other.cache.store(cacheKey('fill'), storedAnswer({ etag: '"stale"' }), fills[1]!), true)
    assert.equal(await other.cache.purge({ projectId: null, model: 'fast' }, id), 1, 'what it had stored meanwhile')
    await sleep(50)
    for (const { cache } of [one, other]) assert.equal((await cache.look(cacheKey('fill'), SCOPE)).hit, null)
    await keep(one, cacheKey('since'))
    assert.equal((await other.cache.look(cacheKey('since'), SCOPE)).hit?.tier, 'SHARED')
  })

  test('gives nobody what it was reading while it was purged', async () => {
    const { one, other } = await twoProxies()
    await keep(one)
    const looking = other.cache.look(KEY, SCOPE)
    const purging = other.cache.purge(SCOPE, newId())
    const since = other.cache.look(KEY, SCOPE)
    assert.equal((await looking).hit, null)
    assert.equal((await since).hit, null)
    await purging
    assert.equal(other.cache.report().entries, 0)
  })

  test('holds a purge of which Redis could not be told, until it is', async () => {
    const { server, one, other } = await twoProxies()
    await keep(one)
    await keep(one, cacheKey('slow'), storedAnswer({ model: 'slow' }))
    server.pause()
    const id = newId()
    await assert.rejects(other.cache.purge(SCOPE, id), /Redis is away/)
    server.resume()
    await waitFor(() => other.redis.ready, { what: 'Redis to answer again' })
    assert.equal((await other.cache.look(cacheKey('slow'), { ...SCOPE, model: 'slow' })).hit?.tier, 'SHARED')
    const { hit, fill } = await other.cache.look(KEY, SCOPE)
    assert.equal(hit, null)
    other.cache.store(KEY, storedAnswer({ etag: '"new"' }), fill)
    await other.cache.purge(SCOPE, id)
    assert.equal(
      here(other.cache).hit?.answer.etag,
      '"new"',
      'it is of after the purge, and stays when that is said again',
    )
    assert.equal((await one.cache.look(KEY, SCOPE, 0)).hit, null)
    const third = await proxyAt(server)
    assert.equal((await third.cache.look(KEY, SCOPE)).hit, null)
    await keep(third)
    await waitFor(async () => (await (await proxyAt(server)).cache.look(KEY, SCOPE)).hit?.tier === 'SHARED')
  })

  test('is memory alone while Redis is away, without a promise, and has both when it is back', async () => {
    const { server, one, other } = await twoProxies()
    await server.stop()
    await waitFor(() => !one.redis.ready && !other.redis.ready, { what: 'Redis to be away' })
    const { hit, fill } = here(one.cache)
    assert.deepEqual([hit, fill.mark], [null, null])
    one.cache.store(KEY, storedAnswer(), fill)
    assert.equal(here(one.cache).hit?.tier, 'MEMORY')
    await server.start()
    await waitFor(() => one.redis.ready && other.redis.ready, { what: 'Redis to be back' })
    assert.equal((await other.cache.look(KEY, SCOPE)).hit, null)
    await keep(one, cacheKey('two'))
    assert.equal((await other.cache.look(cacheKey('two'), SCOPE)).hit?.tier, 'SHARED')
    assert.deepEqual([one.cache.skipped, one.cache.unreadable], [0, 0])
  })
})
