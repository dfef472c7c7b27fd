/** Two proxies whose answers Redis holds too; and Redis slow, gone, back, or with what nobody here has written. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { pino } from 'pino'

import { Redis } from '../../packages/proxy/dist/redis/redis.js'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import type { Answer } from '../helpers/http.ts'
import type { ProxyProcess } from '../helpers/proxy.ts'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { addCached, outcomeOf, recordOf, type Cached, type CachedOptions } from './cache/caching.ts'
import { metric } from './workers/crew.ts'

const skip = await redisUnusable()

describe('two proxies with one Redis', { skip }, () => {
  const stack = new AsyncDisposableStack()
  let server: RedisServer
  let redis: Redis
  let upstream: Upstream
  let gateway: Gateway
  let other: ProxyProcess
  before(async () => {
    server = stack.use(await RedisServer.start({ password: 'p@ss:word' }))
    redis = stack.adopt(new Redis(server.url, pino({ level: 'silent' }), 5_000), (one) => one.close())
    redis.start()
    upstream = stack.use(await startUpstream())
    gateway = stack.use(await startGateway({ env: { MILLRACE_REDIS_URL: server.url } }))
    other = await gateway.addProxy()
    await untilShared()
  })
  after(() => stack.disposeAsync())

  const add = (options?: CachedOptions): Promise<Cached> => addCached({ gateway, upstream }, options, [other])

  /** Waits until what one proxy has asked for is the other's, both ways: each has found Redis. */
  async function untilShared(): Promise<void> {
    await waitFor(() => redis.ready, { timeoutMs: 30_000 })
    const cached = await add()
    let seed = 0
    for (const [one, two] of [
      [gateway.proxy, other],
      [other, gateway.proxy],
    ] as const) {
      await waitFor(
        async () => {
          await cached.ask({ seed: ++seed }, { proxy: one })
          await sleep(20)
          return outcomeOf(await cached.ask({ seed }, { proxy: two })) === 'HIT'
        },
        { what: 'Redis to be asked', timeoutMs: 60_000, intervalMs: 100 },
      )
    }
  }

  /** Names of all keys that hold something of the cache. */
  async function keys(): Promise<string[]> {
    return ((await redis.command(['KEYS', '*cache*'])) as string[]).sort()
  }

  /** Asks one proxy, and waits until the answer is in Redis. */
  async function store(cached: Cached, more: object, proxy = gateway.proxy): Promise<Answer> {
    const stored = await keys()
    const answer = await cached.outcome('MISS', more, { proxy })
    await waitFor(async () => (await keys()).length > stored.length, { what: 'the answer to be in Redis' })
    return answer
  }

  async function tierOf(answer: Answer): Promise<unknown> {
    return (await recordOf(gateway, answer)).cacheTier
  }

  for (const stream of [false, true]) {
    test(`share answers, which are in memory from then on${stream ? ', streamed' : ''}`, async () => {
      const cached = await add()
      const { body } = await store(cached, { stream })
      const first = await cached.outcome('HIT', { stream }, { proxy: other })
      const second = await cached.outcome('HIT', { stream }, { proxy: other })
      assert.deepEqual([first.body, second.body], [body, body])
      assert.deepEqual([await tierOf(first), await tierOf(second)], ['SHARED', 'MEMORY'])
      assert.equal(cached.calls, 1)
    })
  }

  test('share large answers, and those of any bytes', async () => {
    const words = Array.from({ length: 2_000 }, (_, i) => `${i} é 中文 \u{1f600} ${Math.random()}`)
    const cached = await add({ behaviour: behaviours.answer({ words }) })
    for (const stream of [false, true]) {
      const { body } = await store(cached, { stream, seed: Number(stream) })
      const again = await cached.outcome('HIT', { stream, seed: Number(stream) }, { proxy: other })
      assert.deepEqual(again.body, body)
      // In the other form too.
      await cached.outcome('HIT', { stream: !stream, seed: Number(stream) }, { proxy: other })
    }
  })

  test('keep an answer no longer than its time, wherever it is', async () => {
    const cached = await add({ cache: { ttlSeconds: 3 } })
    const began = performance.now()
    await store(cached, {})
    await sleep(1_500)
    const late = await cached.ask({}, { proxy: other })
    if (outcomeOf(late) === 'HIT') assert.ok(Number(late.headers['age']) >= 1, 'it is as old as it is')
    await waitFor(async () => outcomeOf(await cached.ask({}, { proxy: other })) === 'MISS', { intervalMs: 50 })
    const lived = performance.now() - began
    assert.ok(lived > 2_900 && lived < 8_000, `${lived} ms`)
  })

  test('find what was stored before they started', async () => {
    const cached = await add()
    const { text } = await store(cached, {})
    await other.restart()
    await gateway.untilServed(undefined, other)
    await untilShared()
    const again = await cached.outcome('HIT', {}, { proxy: other })
    assert.equal(again.text, text)
  })

  test('purge Redis, too', async () => {
    const [one, two] = [await add(), await add()]
    await store(one, {})
    await store(two, {})
    const { purgeCache } = await gateway.control.gql<{ purgeCache: number }>(
      'mutation ($model: String) { purgeCache(input: { model: $model }) }',
      { model: one.model },
    )
    assert.ok(purgeCache >= 1, String(purgeCache))
    await waitFor(async () => outcomeOf(await one.ask({}, { proxy: other })) === 'MISS')
    await two.outcome('HIT', {}, { proxy: other })
    await gateway.control.gql('mutation { purgeCache(input: { all: true }) }')
    await waitFor(async () => outcomeOf(await two.ask({ seed: 1 }, { proxy: other })) === 'MISS')
    await two.outcome('MISS', {}, { proxy: gateway.proxy })
  })

  test('take what they do not understand for nothing, count it, and say no error', async () => {
    const garbage = ['', '{}', 'null', '[]', '{"status":200}', '\u0000\u0001\u0002', 'x'.repeat(100_000)]
    for (const [seed, value] of garbage.entries()) {
      const cached = await add()
      const earlier = new Set(await keys())
      const { text } = await store(cached, { seed })
      const [key] = (await keys()).filter((one) => !earlier.has(one))
      await redis.command(['SET', key!, value, 'KEEPTTL'])
      const { status, headers } = await cached.ask({ seed }, { proxy: other })
      assert.deepEqual([status, headers['x-cache']], [200, 'MISS'], JSON.stringify(value).slice(0, 50))
      assert.equal((await cached.outcome('HIT', { seed })).text, text, 'what is in memory is as it was')
    }
    const cached = await add()
    const earlier = new Set(await keys())
    await store(cached, {})
    const [key] = (await keys()).filter((one) => !earlier.has(one))
    await redis.command(['DEL', key!])
    await redis.command(['RPUSH', key!, 'a', 'list'])
    await cached.outcome('MISS', {}, { proxy: other })
    assert.ok([...(await metric(other, 'millrace_cache_total')).values()].length > 0)
  })

  test('never take the answer to another request for this one', async () => {
    const cached = await add()
    const earlier = new Set(await keys())
    await store(cached, { seed: 1 })
    const [first] = (await keys()).filter((one) => !earlier.has(one))
    const then = new Set(await keys())
    const { text } = await store(cached, { seed: 2 })
    const [second] = (await keys()).filter((one) => !then.has(one))
    // Somebody who copies values about in Redis.
    await redis.command(['COPY', first!, second!, 'REPLACE'])
    const answer = await cached.ask({ seed: 2 }, { proxy: other })
    assert.ok(outcomeOf(answer) === 'MISS' || answer.text === text, 'another answer was given')
  })

  test('go on by themselves while Redis is slow, and together again after', async () => {
    const cached = await add()
    await cached.outcome('MISS', {})
    server.pause()
    try {
      const began = performance.now()
      for (let seed = 1; seed <= 10; seed++) {
        await cached.outcome('MISS', { seed })
        await cached.outcome('HIT', { seed })
      }
      await cached.outcome('HIT', {})
      const took = performance.now() - began
      // A wait of 50 ms for some of them; none is waited for while it is known to be away.
      assert.ok(took < 5_000, `${took} ms for 21 requests`)
    } finally {
      server.resume()
    }
    await untilShared()
  })

  test('go on by themselves while Redis is gone, and together again when it is back, empty', async () => {
    const cached = await add()
    await store(cached, {})
    await server.stop()
    await cached.outcome('HIT')
    await within(10_000, 'answers without Redis', cached.outcome('MISS', {}, { proxy: other }))
    await cached.outcome('HIT', {}, { proxy: other })
    await server.start()
    await untilShared()
    await cached.outcome('HIT')
  })

  test('purge what they have while Redis is slow, and Redis as soon as it answers', async () => {
    const cached = await add()
    await store(cached, {})
    server.pause()
    try {
      const purged = gateway.control.gql('mutation ($model: String) { purgeCache(input: { model: $model }) }', {
        model: cached.model,
      })
      await within(10_000, 'the answer to a purge', purged)
      await waitFor(async () => outcomeOf(await cached.ask()) === 'MISS')
    } finally {
      server.resume()
    }
    await waitFor(() => redis.ready)
    // Nobody stores anything by asking so.
    const headers = { 'cache-control': 'only-if-cached' }
    await waitFor(
      async () => {
        const { status, text } = await cached.ask({}, { proxy: other, headers })
        assert.ok(status === 504 || / #2"/.test(text), 'an answer of before the purge')
        return true
      },
      { timeoutMs: 30_000, what: 'Redis to be purged' },
    )
  })
})
