/** Answers in Redis while it is slow, away, full, or slower than they come. */
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'

import { newId } from '@millrace/shared'

import { CACHE_DEADLINE_MS } from '../../packages/proxy/dist/cache/cache.js'
import { RedisWriter } from '../../packages/proxy/dist/cache/redis-writer.js'
import { RedisAnswers } from '../../packages/proxy/dist/cache/redis.js'
import type { Redis } from '../../packages/proxy/dist/redis/redis.js'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { cacheKey, EVERYTHING, KEY, SCOPE, storedAnswer } from './cache/answers.ts'
import { connectedTo, keep } from './cache/redis-answers.ts'

const skip = await redisUnusable()
if (skip !== false) console.log(`# these tests are skipped: ${skip}`)

const disposables = new AsyncDisposableStack()
after(() => disposables.disposeAsync())

async function connected(running: RedisServer, deadlineMs?: number): Promise<Redis> {
  const redis = await connectedTo(running, deadlineMs)
  disposables.defer(() => redis.close())
  return redis
}

/** Takes commands, and answers when it is told to. */
class SlowRedis {
  readonly ready = true
  readonly underWay: (() => void)[] = []
  commands = 0

  async command(): Promise<void> {
    this.commands++
    await new Promise<void>((resolve) => this.underWay.push(resolve))
  }
}

suite('answers in Redis', { skip }, () => {
  test('are not waited for where Redis answers nothing, and are back when it does', async () => {
    await using own = await RedisServer.start()
    const redis = await connected(own, CACHE_DEADLINE_MS)
    const answers = new RedisAnswers(redis)
    await waitFor(() => keep(answers, KEY).then(() => true), { timeoutMs: 60_000 })
    own.pause()
    const began = performance.now()
    assert.equal(await within(1_000, 'a look', answers.look(KEY, SCOPE)), null)
    assert.ok(performance.now() - began >= CACHE_DEADLINE_MS - 5)
    assert.equal(answers.ready, false, 'the next one does not ask')
    assert.equal(await answers.mark(SCOPE), null)
    await assert.rejects(answers.purge(EVERYTHING, newId()), /^RedisError: /)
    const { skipped } = answers
    answers.set(KEY, storedAnswer(), 'mark')
    assert.equal(answers.skipped, skipped + 1)
    own.resume()
    await waitFor(() => answers.ready, { what: 'Redis to answer again' })
    await waitFor(async () => (await answers.look(KEY, SCOPE))?.answer?.etag === '"abc"')

    await own.stop()
    await waitFor(() => !answers.ready, { what: 'Redis to be away' })
    assert.equal(await answers.look(KEY, SCOPE), null)
    await own.start()
    await waitFor(() => answers.ready, { what: 'Redis to be back' })
    await waitFor(() => keep(answers, KEY).then(() => true), { timeoutMs: 60_000 })
    assert.equal(answers.unreadable, 0)
  })

  test('that were purged do not come back with a server that was set back', async () => {
    await using own = await RedisServer.start()
    const all = await Promise.all([connected(own), connected(own)])
    const [one, other] = all.map((redis) => new RedisAnswers(redis))
    await keep(one!, KEY)
    await keep(one!, cacheKey('slow'), storedAnswer({ model: 'slow' }))
    await all[0].command(['SAVE'])
    const id = newId()
    assert.equal(await one!.purge(SCOPE, id), 1)
    assert.equal(await other!.purge(SCOPE, id), 0)
    await own.stop()
    await waitFor(() => all.every(({ ready }) => !ready), { what: 'Redis to be away' })
    await own.start()
    await waitFor(() => all.every(({ ready }) => ready), { what: 'Redis to be back' })
    for (const answers of [other!, one!]) {
      const look = await answers.look(KEY, SCOPE)
      assert.ok(look !== null)
      assert.equal(look.answer, null)
    }
    assert.notEqual((await one!.look(cacheKey('slow'), { ...SCOPE, model: 'slow' }))?.answer ?? null, null)
    await keep(one!, KEY)
    assert.equal(await other!.purge(SCOPE, id), 0, 'it was told again, once')
    assert.notEqual((await other!.look(KEY, SCOPE))?.answer ?? null, null)
  })

  test('are read and purged, and no more are stored, where Redis is full', async () => {
    await using own = await RedisServer.start()
    const redis = await connected(own)
    const answers = new RedisAnswers(redis)
    await keep(answers, KEY)
    await redis.command(['CONFIG', 'SET', 'maxmemory', '1'])
    try {
      assert.equal((await answers.look(KEY, SCOPE))?.answer?.etag, '"abc"')
      answers.set(cacheKey('two'), storedAnswer(), (await answers.mark(SCOPE))!)
      await waitFor(() => answers.skipped === 1, { what: 'the answer to be skipped' })
      assert.equal(answers.ready, true)
      assert.equal(await answers.purge(EVERYTHING, newId()), 1)
      assert.equal((await answers.look(KEY, SCOPE))?.answer, null)
    } finally {
      await redis.command(['CONFIG', 'SET', 'maxmemory', '0'])
    }
    await keep(answers, KEY)
    assert.equal(answers.unreadable, 0)
  })

  test('that come faster than Redis takes them are skipped, counted', async () => {
    await using own = await RedisServer.start()
    const redis = await connected(own)
    const answers = new RedisAnswers(redis)
    const mark = (await answers.mark(SCOPE))!
    own.pause()
    const body = 'x'.repeat(1_048_576)
    for (let i = 0; i < 20; i++) answers.set(cacheKey(`large ${i}`), storedAnswer({ body }), mark)
    assert.equal(answers.skipped, 13, 'those beyond 8 MiB')
    own.resume()
    await waitFor(async () => (await answers.look(cacheKey('large 6'), SCOPE))?.answer?.body === body)
    assert.equal((await answers.look(cacheKey('large 7'), SCOPE))?.answer, null)
    await keep(answers, KEY)
    assert.equal(answers.skipped, 13)
  })

  test('are written a few at once, so that looking does not wait for all of them', async () => {
    const redis = new SlowRedis()
    const writer = new RedisWriter(redis as unknown as Redis)
    const write = (bytes: number): void => writer.write('place', KEY, storedAnswer({ body: 'x'.repeat(bytes) }), '')
    for (let i = 0; i < 10; i++) write(100_000)
    write(1_000_000)
    write(1_000_000)
    for (const underWay of [2, 2, 2, 2, 2, 1, 1]) {
      await waitFor(() => redis.underWay.length === underWay, { what: `${underWay} to be under way` })
      for (const done of redis.underWay.splice(0)) done()
    }
    await waitFor(() => redis.commands === 12)
    assert.equal(writer.skipped, 0)
  })
})
