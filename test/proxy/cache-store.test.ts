/** The tiers of the answer cache by their common contract, and what the shared one makes of what stands in Redis. */
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'

import { newId } from '@millrace/shared'

import { MemoryRoom } from '../../packages/proxy/dist/cache/memory-tier.js'
import { MemoryAnswers } from '../../packages/proxy/dist/cache/memory.js'
import { MOST_PACKED_BYTES } from '../../packages/proxy/dist/cache/packed.js'
import { RedisAnswers } from '../../packages/proxy/dist/cache/redis.js'
import type { Redis } from '../../packages/proxy/dist/redis/redis.js'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { waitFor } from '../helpers/wait.ts'
import { cacheKey, EVERYTHING, KEY, SCOPE, storedAnswer } from './cache/answers.ts'
import { connectedTo, keep } from './cache/redis-answers.ts'
import { testAnswerTier, type AnswerTier } from './cache/store-contract.ts'

const skip = await redisUnusable()
if (skip !== false) console.log(`# the Redis half of these tests is skipped: ${skip}`)

const disposables = new AsyncDisposableStack()
after(() => disposables.disposeAsync())
let server: Promise<RedisServer> | undefined

async function redisServer(): Promise<RedisServer> {
  server ??= RedisServer.start().then((started) => disposables.use(started))
  return server
}

async function connected(running: RedisServer): Promise<Redis> {
  const redis = await connectedTo(running)
  disposables.defer(() => redis.close())
  return redis
}

testAnswerTier({
  name: 'memory',
  skip: false,
  async open() {
    const memory = new MemoryAnswers(new MemoryRoom(67_108_864))
    const tier: AnswerTier = {
      async set(key, answer) {
        assert.ok(memory.set(key, answer))
      },
      get: async (key) => memory.get(key),
      purge: async (scope) => memory.purge(scope),
    }
    return [tier, tier]
  },
})

testAnswerTier({
  name: 'Redis',
  skip,
  async open() {
    const running = await redisServer()
    const tierOf = (answers: RedisAnswers): AnswerTier => ({
      set: (key, answer) => keep(answers, key, answer),
      get: async (key, scope) => (await answers.look(key, scope))!.answer,
      purge: async (scope) => answers.purge(scope, newId()),
    })
    const stores = await Promise.all([connected(running), connected(running)])
    await stores[0].command(['FLUSHALL'])
    const [one, other] = stores.map((redis) => tierOf(new RedisAnswers(redis)))
    return [one!, other!]
  },
})

suite('answers in Redis', { skip }, () => {
  /** A server that holds nothing, a store, and a connection to see to it. */
  async function open(): Promise<{ redis: Redis; answers: RedisAnswers }> {
    const redis = await connected(await redisServer())
    await redis.command(['FLUSHALL'])
    return { redis, answers: new RedisAnswers(redis) }
  }

  async function placeOf(redis: Redis): Promise<string> {
    const keys = (await redis.command(['KEYS', 'millrace:cache:*:*:*'])) as string[]
    assert.equal(keys.length, 1)
    return keys[0]!
  }

  test('stay for as long as they hold, and no key forever but the one of purges', async () => {
    const { redis, answers } = await open()
    await keep(answers, KEY, storedAnswer({ expiresAt: Date.now() + 60_000 }))
    const ttl = Number(await redis.command(['PTTL', await placeOf(redis)]))
    assert.ok(ttl > 50_000 && ttl <= 60_000, String(ttl))
    await answers.purge(EVERYTHING, newId())
    for (const key of (await redis.command(['KEYS', '*'])) as string[]) {
      if (key !== 'millrace:cache:purged') assert.ok(Number(await redis.command(['PTTL', key])) > 0, key)
    }
  })

  test('are not those that another project, or model, would get', async () => {
    const { redis, answers } = await open()
    await keep(answers, KEY)
    const place = await placeOf(redis)
    for (const scope of [
      { ...SCOPE, projectId: 'project-2' },
      { ...SCOPE, model: 'slow' },
    ]) {
      await keep(answers, cacheKey('other'), storedAnswer({ ...scope, etag: '"other"' }))
      const keys = (await redis.command(['KEYS', '*'])) as string[]
      const other = keys.find((key) => key !== place && key !== 'millrace:cache:purged')!
      await redis.command(['COPY', place, other, 'REPLACE'])
      const before = answers.unreadable
      assert.equal((await answers.look(cacheKey('other'), scope))?.answer, null)
      assert.equal(answers.unreadable, before + 1)
      await redis.command(['COPY', place, other.replace(cacheKey('other'), KEY), 'REPLACE'])
      assert.equal((await answers.look(KEY, scope))?.answer, null)
      assert.equal(answers.unreadable, before + 2)
      await redis.command(['DEL', other, other.replace(cacheKey('other'), KEY)])
    }
  })

  test('are misses, counted, where something else stands', async () => {
    const { redis, answers } = await open()
    await keep(answers, KEY)
    const place = await placeOf(redis)
    const value = (await redis.commandInBytes(['GET', place])) as Buffer
    const altered = Buffer.from(value)
    altered[altered.length - 3]! ^= 1
    const foreign: Record<string, readonly (string | Buffer)[]> = {
      text: ['SET', place, 'hello'],
      cut: ['SET', place, value.subarray(0, value.length - 1)],
      longer: ['SET', place, Buffer.concat([value, Buffer.of(0)])],
      altered: ['SET', place, altered],
      'too large': ['SETRANGE', place, String(MOST_PACKED_BYTES + 1_000), 'x'],
      'a list': ['RPUSH', place, 'x'],
      'a hash': ['HSET', place, 'x', 'y'],
    }
    let count = 0
    for (const [what, command] of Object.entries(foreign)) {
      await redis.command(['DEL', place])
      await redis.command(command)
      const look = await answers.look(KEY, SCOPE)
      assert.ok(look !== null, what)
      assert.equal(look.answer, null, what)
      assert.equal(answers.unreadable, ++count, what)
      await keep(answers, KEY, storedAnswer({ etag: '"again"' }))
      count = answers.unreadable
    }
    await redis.command(['DEL', place])
    assert.equal((await answers.look(KEY, SCOPE))?.answer, null)
    assert.equal(answers.unreadable, count)
  })

  test('are not read beyond what one may be long', async () => {
    const { redis, answers } = await open()
    await keep(answers, KEY)
    const sent = async (): Promise<number> =>
      Number(/total_net_output_bytes:(\d+)/.exec(String(await redis.command(['INFO', 'stats'])))![1])
    await redis.command(['SETRANGE', await placeOf(redis), String(8 * MOST_PACKED_BYTES), 'x'])
    const before = await sent()
    assert.equal((await answers.look(KEY, SCOPE))?.answer, null)
    assert.ok((await sent()) - before < 1.1 * MOST_PACKED_BYTES)
  })

  test('can neither be read nor stored where that of purges is something else, until the next purge', async () => {
    const { redis, answers } = await open()
    await keep(answers, KEY)
    await redis.command(['SET', 'millrace:cache:purged', 'x'])
    assert.equal(await answers.look(KEY, SCOPE), null)
    assert.equal(await answers.mark(SCOPE), null)
    assert.equal(answers.unreadable, 2)
    assert.equal(await answers.purge({ projectId: 'else', model: null }, newId()), 0)
    assert.equal((await answers.look(KEY, SCOPE))?.answer, null, 'nobody knows what was purged')
    await keep(answers, KEY)
  })

  test('do not come back where Redis forgets what was purged', async () => {
    const { redis, answers } = await open()
    const before = await answers.mark(SCOPE)
    await keep(answers, KEY)
    await redis.command(['DEL', 'millrace:cache:purged'])
    assert.equal((await answers.look(KEY, SCOPE))?.answer, null)
    const marks = new Set([before, await answers.mark(SCOPE)])
    for (let i = 0; i < 3; i++) {
      await answers.purge(SCOPE, newId())
      await redis.command(['DEL', 'millrace:cache:purged'])
      marks.add(await answers.mark(SCOPE))
    }
    assert.equal(marks.size, 5)
  })

  test('are purged for all by the first proxy that says so, once', async () => {
    const running = await redisServer()
    const { answers } = await open()
    const others = await Promise.all(Array.from({ length: 3 }, async () => new RedisAnswers(await connected(running))))
    for (let i = 0; i < 20; i++) await keep(answers, cacheKey(String(i)), storedAnswer({ etag: `"${i}"` }))
    const old = await answers.mark(SCOPE)
    const id = newId()
    const counts = await Promise.all([answers, ...others].map((each) => each.purge(EVERYTHING, id)))
    assert.deepEqual(
      counts.filter((count) => count > 0),
      [20],
    )
    const since = await answers.mark(SCOPE)
    assert.notEqual(since, old)
    await keep(answers, KEY)
    const newer = newId()
    await others[0]!.purge({ projectId: 'project-2', model: null }, newer)
    for (const each of [answers, ...others]) assert.equal(await each.purge(EVERYTHING, id), 0)
    assert.equal(await answers.mark(SCOPE), since, 'told again, it purges nothing')
    assert.deepEqual((await others[1]!.look(KEY, SCOPE))?.answer?.etag, '"abc"')
  })

  test('of before a purge are none, whenever they arrive', async () => {
    const { redis, answers } = await open()
    const before = await answers.mark(SCOPE)
    await answers.purge({ projectId: 'project-1', model: null }, newId())
    answers.set(KEY, storedAnswer(), before!)
    await waitFor(async () => ((await redis.command(['KEYS', 'millrace:cache:*:*:*'])) as string[]).length === 1)
    const look = await answers.look(KEY, SCOPE)
    assert.equal(look?.answer, null)
    assert.equal(answers.unreadable, 0)
    await answers.purge({ projectId: null, model: 'fast' }, newId())
    assert.notEqual(await answers.mark(SCOPE), look?.mark)
    assert.equal(
      await answers.mark({ ...SCOPE, model: 'x', projectId: 'y' }),
      await answers.mark({ projectId: 'z', model: 'w' }),
    )
  })
})
