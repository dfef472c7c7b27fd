/** The proxy's connection to Redis: what it says, what it never says, and that nothing waits for it. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { pino } from 'pino'

import { Redis } from '../../packages/proxy/dist/redis/redis.js'
import { luaScript } from '../../packages/proxy/dist/redis/script.js'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { waitFor, within } from '../helpers/wait.ts'

const skip = await redisUnusable()
const PASSWORD = 'p@ss/wörd%'

interface Logged {
  readonly level: number
  readonly msg: string
  readonly reason?: string
}

/** Generous, because tests share the machine. */
const DEADLINE_MS = 5_000
/** For what is done at once: far below a deadline, and a machine may be slow. */
const AT_ONCE_MS = 1_000

/** A connection, begun, with what it has logged. */
function begin(url: string, deadlineMs = DEADLINE_MS): { redis: Redis; logged: Logged[] } & Disposable {
  const logged: Logged[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line) as Logged) })
  const redis = new Redis(url, log, deadlineMs)
  redis.start()
  return { redis, logged, [Symbol.dispose]: () => redis.close() }
}

const isReady = (redis: Redis): Promise<true> => waitFor(() => redis.ready, { what: 'Redis to be ready' })
const texts = (logged: readonly Logged[]): string[] => logged.map(({ msg }) => msg.replace(/:\d+/, ''))

/** One that is ready, and was so before it was said to be away. */
async function connected(url: string): Promise<ReturnType<typeof begin>> {
  for (let tries = 1; ; tries++) {
    const one = begin(url)
    await isReady(one.redis)
    if (one.logged[0]?.msg.startsWith('Redis answers') || tries === 5) return one
    one[Symbol.dispose]()
  }
}

const ANSWERS = 'Redis answers at 127.0.0.1'
const AWAY = 'Redis is away at 127.0.0.1: going on without it'

suite('the connection to Redis', { skip }, () => {
  test('carries commands, and says once that it is there', async () => {
    await using server = await RedisServer.start({ password: PASSWORD })
    using one = await connected(server.url)
    assert.equal(await one.redis.command(['SET', 'a', 'b']), 'OK')
    assert.equal(await one.redis.command(['GET', 'a']), 'b')
    await assert.rejects(one.redis.command(['INCR', 'a']), /not an integer/)
    assert.deepEqual(texts(one.logged).slice(0, 1), [ANSWERS])
  })

  test('carries bytes as they are', async () => {
    await using server = await RedisServer.start()
    using one = begin(server.url)
    await isReady(one.redis)
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    assert.equal(await one.redis.command(['SET', 'a', bytes]), 'OK')
    assert.deepEqual(await one.redis.commandInBytes(['GET', 'a']), bytes)
    assert.deepEqual(await one.redis.commandInBytes(['MGET', 'a', 'b']), [bytes, null])
    assert.equal(await one.redis.command(['STRLEN', 'a']), 256)
  })

  test('says once that it has gone and once that it is back', async () => {
    await using server = await RedisServer.start({ password: PASSWORD })
    using one = await connected(server.url)
    await server.stop()
    await waitFor(() => !one.redis.ready)
    await waitFor(() => one.logged.length === 2, { what: 'the log to say so' })
    await sleep(1_500)
    await server.start()
    await isReady(one.redis)
    assert.deepEqual(texts(one.logged), [ANSWERS, AWAY, ANSWERS])
    assert.match(one.logged[1]!.reason!, /ECONNREFUSED|closed/)
  })

  test('says nothing of a moment', async () => {
    await using server = await RedisServer.start()
    using operator = begin(server.url)
    await isReady(operator.redis)
    await waitFor(async () => {
      using one = await connected(server.url)
      const id = String(await one.redis.command(['CLIENT', 'ID']))
      const cut = performance.now()
      await operator.redis.command(['CLIENT', 'KILL', 'ID', id])
      await waitFor(() => one.redis.connections === 2, { intervalMs: 5 })
      const moment = performance.now() - cut
      await sleep(1_100)
      // On a machine that is slow it may have been more than that.
      if (moment > 800) return false
      assert.deepEqual(texts(one.logged), [ANSWERS])
      return true
    })
  })

  test('never says the password', async () => {
    await using server = await RedisServer.start({ password: PASSWORD })
    const wrong = new URL(server.url)
    wrong.password = 'hunter2'
    using one = await connected(server.url)
    using others = new DisposableStack()
    const other = await waitFor(
      async () => {
        const another = others.use(begin(wrong.href))
        await waitFor(() => another.logged.length > 0)
        // Not that it has not been reached yet.
        return /WRONGPASS|invalid username-password/.test(another.logged[0]!.reason!) && another
      },
      { what: 'the log to say that the password is wrong' },
    )
    await server.stop()
    await waitFor(() => one.logged.length > 1)
    const errors = await Promise.all([one, other].map(({ redis }) => redis.command(['PING']).catch(String)))
    const all = JSON.stringify([one.logged, other.logged, errors])
    for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), 'hunter2']) assert.ok(!all.includes(secret), all)
  })

  test('is not waited for: neither at the start nor later', async () => {
    await using server = await RedisServer.start()
    await server.stop()
    const before = performance.now()
    using one = begin(server.url)
    await assert.rejects(one.redis.command(['PING']), /^RedisError: Redis is away: /)
    one.redis.publish('hints', 'lost')
    one.redis.subscribe('hints', () => undefined)
    assert.ok(performance.now() - before < AT_ONCE_MS)
    await waitFor(() => one.logged.length > 0)
    assert.deepEqual(texts(one.logged), [AWAY])
    await server.start()
    await isReady(one.redis)
  })

  test('gives a command up at the deadline, refuses the next at once, and goes on when Redis does', async () => {
    await using server = await RedisServer.start()
    using one = begin(server.url, 150)
    await isReady(one.redis)
    server.pause()
    const before = performance.now()
    const first = one.redis.command(['PING'])
    await assert.rejects(within(5_000, 'the command', first), /did not answer within 150 ms/)
    assert.ok(performance.now() - before >= 145)
    assert.equal(one.redis.ready, false)
    const overdue = one.redis.command(['PING'], 60_000)
    await assert.rejects(within(AT_ONCE_MS, 'the next', overdue), /Redis is away/)
    server.resume()
    await isReady(one.redis)
    await waitFor(async () => (await one.redis.command(['PING'])) === 'PONG')
  })

  test('is made again where the old one is dead and nobody has said so', async () => {
    await using server = await RedisServer.start()
    using one = begin(server.url)
    await isReady(one.redis)
    server.pause()
    await waitFor(() => one.logged.some(({ reason }) => /timeout|timed out|did not answer/i.test(reason ?? '')), {
      timeoutMs: 20_000,
      what: 'the silence to be noticed',
    })
    assert.equal(one.redis.ready, false)
    server.resume()
    await isReady(one.redis)
    assert.equal(await one.redis.command(['PING']), 'PONG')
  })

  test('runs scripts that Redis does not know, or no longer knows', async () => {
    await using server = await RedisServer.start()
    using one = begin(server.url)
    await isReady(one.redis)
    const script = luaScript('return {KEYS[1], ARGV[1], 3, false}')
    for (let i = 0; i < 2; i++) assert.deepEqual(await one.redis.run(script, ['key'], ['a']), ['key', 'a', 3, null])
    await one.redis.command(['SCRIPT', 'FLUSH'])
    assert.deepEqual(await one.redis.run(script, ['key'], ['b']), ['key', 'b', 3, null])
    await assert.rejects(one.redis.run(luaScript('return redis.call("NO")'), ['key'], []), /Unknown Redis command/i)
  })

  test('says once, too, that Redis is there and refuses', async () => {
    await using server = await RedisServer.start()
    using one = await connected(server.url)
    await one.redis.command(['CONFIG', 'SET', 'maxmemory', '1'])
    for (let i = 0; i < 3; i++) await assert.rejects(one.redis.command(['SET', 'a', 'b']), /OOM/)
    assert.deepEqual(texts(one.logged), [ANSWERS, 'Redis at 127.0.0.1 refuses a command: going on without it'])
    assert.equal(one.redis.ready, true)
  })

  test('takes one that can run no scripts for away, until it can', async () => {
    await using server = await RedisServer.start()
    using one = begin(server.url)
    using operator = begin(server.url)
    await isReady(one.redis)
    await isReady(operator.redis)
    const script = luaScript("return redis.call('SET', KEYS[1], 'b')")
    const runs = (): Promise<unknown> => one.redis.run(script, ['a'], [])
    const connection = await one.redis.command(['CLIENT', 'ID'])
    for (const [unfit, fit, reason] of [
      ['CONFIG SET maxmemory 1', 'CONFIG SET maxmemory 0', /OOM/],
      ['REPLICAOF 127.0.0.1 1', 'REPLICAOF NO ONE', /READONLY/],
    ] as const) {
      await operator.redis.command(unfit.split(' '))
      await assert.rejects(runs(), reason)
      assert.equal(one.redis.ready, false)
      await assert.rejects(runs(), reason, 'it is not asked')
      await operator.redis.command(fit.split(' '))
      await isReady(one.redis)
      assert.equal(String(await waitFor(() => runs().catch(() => null))), 'OK')
    }
    assert.notEqual(await one.redis.command(['CLIENT', 'ID']), connection, 'another may be master by now')
  })

  test('leaves a replica alone that it would write to, and looks for its master', async () => {
    await using server = await RedisServer.start()
    using one = begin(server.url)
    await isReady(one.redis)
    const connection = await one.redis.command(['CLIENT', 'ID'])
    await one.redis.command(['REPLICAOF', '127.0.0.1', '1'])
    await assert.rejects(one.redis.command(['SET', 'a', 'b']), /READONLY/)
    assert.equal(one.redis.ready, false)
    await isReady(one.redis)
    assert.notEqual(await one.redis.command(['CLIENT', 'ID']), connection)
  })

  test('ends at once', async () => {
    await using server = await RedisServer.start()
    const one = begin(server.url)
    await isReady(one.redis)
    one.redis.subscribe('hints', () => undefined)
    server.pause()
    const waiting = one.redis.command(['PING'])
    const before = performance.now()
    one.redis.close()
    one.redis.close()
    await assert.rejects(waiting)
    assert.ok(performance.now() - before < AT_ONCE_MS)
    assert.equal(one.redis.ready, false)
    server.resume()
    const early = begin(server.url)
    early.redis.close()
    await sleep(300)
    assert.equal(early.redis.ready, false)
    assert.deepEqual(early.logged, [])
  })
})

suite('hints over Redis', { skip }, () => {
  test('reach every proxy within a second, also after Redis was away', async () => {
    await using server = await RedisServer.start({ password: PASSWORD })
    using one = begin(server.url)
    using other = begin(server.url)
    const heard: string[] = []
    const listener = (name: string) => (message: string) => void heard.push(`${name} ${message}`)
    one.redis.subscribe('hints', listener('one'))
    other.redis.subscribe('hints', listener('other'))
    other.redis.subscribe('hints', listener('again'))
    other.redis.subscribe('else', listener('else'))
    const reaches = async (message: string): Promise<void> => {
      await waitFor(
        () => {
          one.redis.publish('hints', message)
          return ['one', 'other', 'again'].every((name) => heard.includes(`${name} ${message}`))
        },
        { intervalMs: 50, what: message },
      )
    }
    /** One that is sent once is heard once by each who listens. */
    const heardOnce = async (channel: string, message: string, by: readonly string[]): Promise<void> => {
      one.redis.publish(channel, message)
      const those = (): string[] => heard.filter((text) => text.endsWith(` ${message}`))
      await waitFor(() => those().length >= by.length, { timeoutMs: 10_000, what: message })
      await sleep(50)
      assert.deepEqual(
        those().sort(),
        by.map((name) => `${name} ${message}`),
      )
    }
    await isReady(one.redis)
    await reaches('first')
    await heardOnce('hints', 'second', ['again', 'one', 'other'])
    await heardOnce('else', 'third', ['else'])

    await server.stop()
    await waitFor(() => !one.redis.ready)
    one.redis.publish('hints', 'lost')
    await server.start()
    await isReady(one.redis)
    await reaches('fourth')
    await heardOnce('hints', 'fifth', ['again', 'one', 'other'])
    assert.ok(!heard.some((text) => text.endsWith(' lost')))
  })
})
