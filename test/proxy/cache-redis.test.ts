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

  interface Stored {
    readonly answer: Answer
    /** Under which it stands in Redis. */
    readonly key: string
    /** What was asked. */
    readonly more: object
  }

  /**
   * Asks one proxy, and waits until the answer is in Redis. Where Redis is slow, which is not waited for, it is not: then asks
   * for something else.
   */
  async function store(cached: Cached, asked: object = {}, first = 1): Promise<Stored> {
    for (let seed = first; ; seed++) {
      const more = { ...asked, seed }
      const stored = new Set(await keys())
      const answer = await cached.outcome('MISS', more)
      const added = async (): Promise<string | undefined> => (await keys()).find((one) => !stored.has(one))
      const options = { what: 'the answer to be in Redis', timeoutMs: 5_000 }
      const key = await waitFor(added, options).catch((error: unknown) => assert.ok(seed < first + 5, error as Error))
      if (key !== undefined) return { answer, key, more }
    }
  }

  /** Stores an answer, and has the other proxy find it: anew where Redis was too slow for that. */
  async function share(cached: Cached, asked: object = {}): Promise<Stored & { readonly again: Answer }> {
    for (let tries = 1; ; tries++) {
      const stored = await store(cached, asked, 10 * tries)
      const { calls } = cached
      const again = await cached.ask(stored.more, { proxy: other })
      if (outcomeOf(again) === 'HIT') {
        assert.equal(cached.calls, calls)
        return { ...stored, again }
      }
      assert.ok(tries < 5, `asked ${tries} times, the other proxy found nothing`)
    }
  }

  async function tierOf(answer: Answer): Promise<unknown> {
    return (await recordOf(gateway, answer)).cacheTier
  }

  for (const stream of [false, true]) {
    test(`share answers, which are in memory from then on${stream ? ', streamed' : ''}`, async () => {
      const cached = await add()
      const { answer, again, more } = await share(cached, { stream })
      const { calls } = cached
      const second = await cached.outcome('HIT', more, { proxy: other })
      assert.deepEqual([again.body, second.body], [answer.body, answer.body])
      assert.deepEqual([await tierOf(again), await tierOf(second)], ['SHARED', 'MEMORY'])
      assert.equal(cached.calls, calls)
    })
  }

  test('share large answers, and those of any bytes', async () => {
    const words = Array.from({ length: 2_000 }, (_, i) => `${i} é 中文 \u{1f600} ${Math.random()}`)
    const cached = await add({ behaviour: behaviours.answer({ words }) })
    for (const stream of [false, true]) {
      const { answer, again, more } = await share(cached, { stream, temperature: Number(stream) })
      assert.deepEqual(again.body, answer.body)
      // In the other form too.
      await cached.outcome('HIT', { ...more, stream: !stream }, { proxy: other })
    }
  })

  test('keep an answer no longer than its time, wherever it is', async () => {
    const cached = await add({ cache: { ttlSeconds: 3 } })
    const began = performance.now()
    const { more } = await store(cached)
    await sleep(1_500)
    const late = await cached.ask(more, { proxy: other })
    if (outcomeOf(late) === 'HIT') assert.ok(Number(late.headers['age']) >= 1, 'it is as old as it is')
    await waitFor(async () => outcomeOf(await cached.ask(more, { proxy: other })) === 'MISS', { intervalMs: 50 })
    const lived = performance.now() - began
    assert.ok(lived > 2_900 && lived < 20_000, `${lived} ms`)
  })

  test('find what was stored before they started', async () => {
    const cached = await add()
    const stored: Stored[] = []
    for (let i = 0; i < 5; i++) stored.push(await store(cached, {}, 10 * i))
    await other.restart()
    await gateway.untilServed(undefined, other)
    await untilShared()
    // One of them in time.
    for (const { answer, more } of stored) {
      const again = await cached.ask(more, { proxy: other })
      if (outcomeOf(again) === 'HIT') return assert.equal(again.text, answer.text)
    }
    assert.fail('none was found')
  })

  test('purge Redis, too', async () => {
    const [one, two] = [await add(), await add()]
    const [first, second] = [await store(one), await share(two)]
    const { purgeCache } = await gateway.control.gql<{ purgeCache: number }>(
      'mutation ($model: String) { purgeCache(input: { model: $model }) }',
      { model: one.model },
    )
    assert.ok(purgeCache >= 1, String(purgeCache))
    await waitFor(async () => outcomeOf(await one.ask(first.more, { proxy: other })) === 'MISS')
    await two.outcome('HIT', second.more, { proxy: other })
    await gateway.control.gql('mutation { purgeCache(input: { all: true }) }')
    await waitFor(async () => outcomeOf(await two.ask({ seed: 99 }, { proxy: other })) === 'MISS')
    await two.outcome('MISS', second.more, { proxy: gateway.proxy })
  })

  test('take what they do not understand for nothing, count it, and say no error', async () => {
    const garbage = ['', '{}', 'null', '[]', '{"status":200}', '\u0000\u0001\u0002', 'x'.repeat(100_000)]
    for (const value of garbage) {
      const cached = await add()
      const { answer, key, more } = await store(cached)
      await redis.command(['SET', key, value, 'KEEPTTL'])
      const { status, headers } = await cached.ask(more, { proxy: other })
      assert.deepEqual([status, headers['x-cache']], [200, 'MISS'], JSON.stringify(value).slice(0, 50))
      assert.equal((await cached.outcome('HIT', more)).text, answer.text, 'what is in memory is as it was')
    }
    const cached = await add()
    const { key, more } = await store(cached)
    await redis.command(['DEL', key])
    await redis.command(['RPUSH', key, 'a', 'list'])
    await cached.outcome('MISS', more, { proxy: other })
    assert.ok([...(await metric(other, 'millrace_cache_total')).values()].length > 0)
  })

  test('never take the answer to another request for this one', async () => {
    const cached = await add()
    const [first, second] = [await store(cached), await store(cached, {}, 10)]
    // Somebody who copies values about in Redis.
    await redis.command(['COPY', first.key, second.key, 'REPLACE'])
    const { headers, text } = await cached.ask(second.more, { proxy: other })
    assert.ok(outcomeOf({ headers }) === 'MISS' || text === second.answer.text, 'another answer was given')
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
      assert.ok(took < 20_000, `${took} ms for 21 requests`)
    } finally {
      server.resume()
    }
    await untilShared()
  })

  test('go on by themselves while Redis is gone, and together again when it is back, empty', async () => {
    const cached = await add()
    const { more } = await store(cached)
    await server.stop()
    await cached.outcome('HIT', more)
    await within(10_000, 'answers without Redis', cached.outcome('MISS', more, { proxy: other }))
    await cached.outcome('HIT', more, { proxy: other })
    await server.start()
    await untilShared()
    await cached.outcome('HIT', more)
  })

  test('purge what they have while Redis is slow, and Redis as soon as it answers', async () => {
    const cached = await add()
    const { answer, more } = await store(cached)
    server.pause()
    try {
      const purged = gateway.control.gql('mutation ($model: String) { purgeCache(input: { model: $model }) }', {
        model: cached.model,
      })
      await within(10_000, 'the answer to a purge', purged)
      await waitFor(async () => outcomeOf(await cached.ask(more)) === 'MISS')
    } finally {
      server.resume()
    }
    await waitFor(() => redis.ready)
    // Nobody stores anything by asking so.
    const headers = { 'cache-control': 'only-if-cached' }
    await waitFor(
      async () => {
        const { status, text } = await cached.ask(more, { proxy: other, headers })
        assert.ok(status === 504 || text !== answer.text, 'an answer of before the purge')
        return true
      },
      { timeoutMs: 30_000, what: 'Redis to be purged' },
    )
  })
})
