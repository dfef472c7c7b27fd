/** Limits in Redis where something is away, late or dead, and what requests are counted by then. */
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { newId, toPicodollars } from '@millrace/shared'
import { pino } from 'pino'

import { Limits } from '../../packages/proxy/dist/limits/limits.js'
import type { LostClaim } from '../../packages/proxy/dist/limits/lost.js'
import { MemoryLimits } from '../../packages/proxy/dist/limits/memory.js'
import { Orphans } from '../../packages/proxy/dist/limits/redis-orphans.js'
import { ADMIT, RAISE, SETTLE } from '../../packages/proxy/dist/limits/redis-scripts.js'
import { RedisLimits, type RedisLimitsOptions } from '../../packages/proxy/dist/limits/redis.js'
import type { Admission, LimitedSubject } from '../../packages/proxy/dist/limits/store.js'
import { Redis } from '../../packages/proxy/dist/redis/redis.js'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { unhurried, waitFor } from '../helpers/wait.ts'
import { claim, subject, UNUSED, used } from './limits/claims.ts'

const skip = await redisUnusable()
if (skip !== false) console.log(`# these tests are skipped: ${skip}`)

const disposables = new AsyncDisposableStack()
after(() => disposables.disposeAsync())
const SILENT = pino({ level: 'silent' })

/** A proxy's limits. */
class Counter {
  readonly redis: Redis
  readonly shared: RedisLimits
  readonly local = new MemoryLimits(null)
  readonly limits: Limits

  constructor(redis: Redis, refuses = false, options: RedisLimitsOptions = {}) {
    this.redis = redis
    this.shared = new RedisLimits(redis, newId(), options)
    this.limits = new Limits(this.local, this.shared, refuses, SILENT)
  }

  /** What Redis has in a sum, in picodollars: spent, and held. */
  async sum({ id }: LimitedSubject, window = 'total'): Promise<readonly [spent: bigint, held: bigint]> {
    const key = `millrace:limits:spent:${id}:${window}`
    const values = (await this.redis.command(['HMGET', key, 'sw', 'sp', 'rw', 'rp'])) as (string | null)[]
    const [sw, sp, rw, rp] = values.map((value) => BigInt(value ?? 0))
    return [sw! * 10n ** 12n + sp!, rw! * 10n ** 12n + rp!]
  }

  async open(): Promise<unknown> {
    return this.redis.command(['HLEN', `millrace:limits:open:${this.shared.process}`])
  }

  /** Waits until a sum is this; what comes late, or twice, has come by then. */
  async comesTo(one: LimitedSubject, sum: readonly [spent: bigint, held: bigint], window = 'total'): Promise<void> {
    await sleep(100)
    await waitFor(async () => (assert.deepEqual(await this.sum(one, window), sum), true))
  }

  /** Waits until Redis is asked again, and knows all. */
  async back(): Promise<void> {
    await waitFor(
      () => {
        this.limits.look()
        return this.limits.backend === 'redis'
      },
      { what: 'limits to be counted in Redis' },
    )
  }
}

/** Where Redis is to answer nothing: short, and long enough for what it does answer. */
const BRIEF_MS = 1_000

async function connect(server: RedisServer, deadlineMs = 5_000): Promise<Redis> {
  const redis = new Redis(server.url, SILENT, deadlineMs)
  disposables.defer(() => redis.close())
  redis.start()
  await waitFor(() => redis.ready, { what: 'Redis to be ready' })
  // A script that Redis sees for the first time takes one round trip more, in which others may pass it.
  for (const script of [ADMIT, SETTLE, RAISE]) await redis.command(['SCRIPT', 'LOAD', script.text])
  return redis
}

async function start(): Promise<RedisServer> {
  return disposables.use(await RedisServer.start())
}

function usd(amount: string): bigint {
  return toPicodollars(amount)
}

async function isRefused(admission: Admission | Promise<Admission>): Promise<boolean> {
  return (await admission).refusal !== null
}

suite('limits without Redis', () => {
  test('are answered without a promise', () => {
    const limits = new Limits(new MemoryLimits(null), null, true, SILENT)
    assert.equal(limits.backend, 'local')
    const one = claim(subject({ maxConcurrent: 1 }))
    assert.ok(!(limits.admit(one) instanceof Promise))
    assert.equal((limits.admit(claim(one.subjects)) as Admission).refusal?.limit, 'concurrency')
    limits.settle(one, UNUSED)
    assert.equal((limits.admit(claim(one.subjects)) as Admission).refusal, null)
  })

  test('may have been used elsewhere where they are quotas or budgets', () => {
    const limits = new Limits(new MemoryLimits(null), null, true, SILENT)
    const [quota, budget] = [subject({ maxRequests: 5 }), subject({ budget: ['1', 'TOTAL'] })]
    void limits.admit(claim([quota, subject({ maxConcurrent: 1, requestsPerMinute: 5 }), budget]))
    assert.deepEqual(limits.usedLately(), [quota, budget])
  })
})

suite('limits while Redis comes and goes', { skip }, () => {
  test('go on from what it said last, and are told to it when it is back, once', async () => {
    const server = await start()
    const counter = new Counter(await connect(server, BRIEF_MS))
    const other = new Counter(await connect(server))
    const one = subject({ budget: ['1', 'TOTAL'], maxConcurrent: 3, requestsPerMinute: 10, maxRequests: 100 })
    const began = performance.now()
    const [before, during] = [claim(one, { cost: '0.3' }), claim(one, { cost: '0.2' })]
    for (const each of [before, during]) assert.ok(!(await isRefused(counter.limits.admit(each))))
    counter.limits.settle(before, used(1, '0.25'))
    const theirs = claim(one, { cost: '0.1' })
    assert.ok(!(await isRefused(other.limits.admit(theirs))))
    const seen = claim(one, { cost: '0.1' })
    assert.ok(!(await isRefused(counter.limits.admit(seen))))

    server.pause()
    const unanswered = claim(one, { cost: '0.05' })
    assert.ok(!(await isRefused(counter.limits.admit(unanswered))), 'it falls back within its deadline')
    assert.equal(counter.limits.backend, 'local (redis is away)')
    const full = counter.limits.admit(claim(one))
    assert.ok(!(full instanceof Promise))
    assert.equal(full.refusal?.limit, 'concurrency', 'what is under way holds its places')
    counter.limits.settle(seen, used(1, '0.1'))
    counter.limits.settle(during, used(1, '0.15'))
    const here = counter.limits.admit(claim(one, { cost: '0.46' })) as Admission
    assert.equal(here.refusal?.limit, 'budget', '0.25 + 0.1 + 0.15 + 0.05 of 1 are gone')
    const { remaining } = here.requests!
    assert.ok(remaining >= 5 && remaining <= 6 + (performance.now() - began) / 6_000, 'the rate goes on')
    const local = claim(one, { cost: '0.3' })
    assert.equal((counter.limits.admit(local) as Admission).refusal, null)
    counter.limits.settle(local, used(1, '0.11'))

    server.resume()
    await counter.back()
    counter.limits.settle(unanswered, used(1, '0.04'))
    other.limits.settle(theirs, used(1, '0.1'))
    await other.comesTo(one, [usd('0.75'), 0n])
    assert.equal(await counter.open(), 0)
    assert.ok(await isRefused(other.limits.admit(claim(one, { cost: '0.26' }))))
    assert.ok(!(await isRefused(other.limits.admit(claim(one, { cost: '0.25' })))))
  })

  test('undo what Redis admits too late', async () => {
    const server = await start()
    const counter = new Counter(await connect(server, BRIEF_MS))
    const one = subject({ maxConcurrent: 1, budget: ['1', 'TOTAL'], maxRequests: 1 })
    assert.ok(!(await isRefused(counter.limits.admit(claim(subject())))))
    // It has the same on the way here; the other finds no place.
    const held = claim(one, { cost: '1' })
    assert.equal(counter.local.admit(held).refusal, null)
    server.pause()
    assert.ok(await isRefused(counter.limits.admit(claim(one, { cost: '1' }))))
    counter.local.settle(held, UNUSED)
    server.resume()
    await counter.back()
    await counter.comesTo(one, [0n, 0n])
    assert.ok(!(await isRefused(counter.limits.admit(claim(one, { cost: '1' })))))
  })

  test('admit nothing for a client that has gone meanwhile', async () => {
    const server = await start()
    const counter = new Counter(await connect(server, BRIEF_MS))
    const one = subject({ maxConcurrent: 1, budget: ['1', 'TOTAL'], maxRequests: 2 })
    for (const pause of [false, true]) {
      const gone = claim(one, { cost: '1' })
      if (pause) server.pause()
      const pending = counter.limits.admit(gone)
      counter.limits.settle(gone, UNUSED)
      await pending
      server.resume()
      await counter.back()
      await counter.comesTo(one, [0n, 0n])
      await waitFor(async () => (await counter.open()) === 0)
    }
    assert.ok(!(await isRefused(counter.limits.admit(claim(one, { cost: '1' })))))
  })

  test('hold through a Redis that has forgotten all', async () => {
    const server = await start()
    const counter = new Counter(await connect(server))
    const one = subject({ budget: ['1', 'TOTAL'], maxConcurrent: 2, maxRequests: 9, tokensPerMinute: 1_000 })
    const [first, second] = [claim(one, { cost: '0.3', tokens: 9 }), claim(one, { cost: '0.3', tokens: 9 })]
    for (const each of [first, second]) assert.ok(!(await isRefused(counter.limits.admit(each))))
    await counter.redis.command(['FLUSHALL'])
    counter.limits.settle(first, used(1, '0.3'))
    counter.limits.settle(second, used(5_000, '0.3'))
    counter.limits.raise([{ subjectId: one.id, window: 'total', spent: usd('0.6') }])
    const next = claim(one, { cost: '0.4' })
    assert.ok(!(await isRefused(counter.limits.admit(next))))
    counter.limits.settle(next, used(1, '0.4'))
    await counter.comesTo(one, [usd('1'), 0n])

    await server.stop()
    await waitFor(() => !counter.redis.ready)
    assert.equal((counter.limits.admit(claim(one)) as Admission).refusal?.limit, 'budget')
    await server.start()
    await counter.back()
  })

  test('count once what control knew before Redis, and what Redis knew before control', async () => {
    const server = await start()
    const counter = new Counter(await connect(server))
    const other = new Counter(await connect(server))
    const [one, two] = [subject({ budget: ['1', 'TOTAL'] }), subject({ budget: ['1', 'TOTAL'] })]
    const held = claim([one, two], { cost: '0.2' })
    assert.ok(!(await isRefused(counter.limits.admit(held))))
    counter.redis.close()
    await waitFor(() => !counter.redis.ready)
    counter.limits.settle(held, used(1, '0.1'))
    const local = claim([one, two], { cost: '0.5' })
    assert.ok(!(await isRefused(counter.limits.admit(local))))
    counter.limits.settle(local, used(1, '0.3'))

    // Its records are stored, and another proxy has heard of them, but for one subject.
    other.limits.raise([{ subjectId: one.id, window: 'total', spent: usd('0.4') }])
    const again = new Counter(await connect(server))
    const ids = { from: counter.shared.process, to: again.shared.process }
    await again.redis.command(['RENAME', `millrace:limits:open:${ids.from}`, `millrace:limits:open:${ids.to}`])
    again.shared.tell(held, used(1, '0.1'))
    again.shared.tell(held, used(1, '0.1'))
    again.shared.tell(local, used(1, '0.3'))
    again.shared.tell(local, used(1, '0.3'))
    for (const each of [one, two]) await other.comesTo(each, [usd('0.4'), 0n])
    other.limits.raise([{ subjectId: two.id, window: 'total', spent: usd('0.4') }])
    for (const each of [one, two]) await other.comesTo(each, [usd('0.4'), 0n])
  })

  test('go on from what it said last where it is there and can count nothing', async () => {
    const server = await start()
    const counter = new Counter(await connect(server))
    const operator = await connect(server)
    const one = subject({ maxConcurrent: 1, budget: ['1', 'TOTAL'] })
    const spent = claim(one, { cost: '0.9' })
    assert.ok(!(await isRefused(counter.limits.admit(spent))))
    counter.limits.settle(spent, used(1, '0.9'))
    const held = claim(one, { cost: '0.1' })
    assert.ok(!(await isRefused(counter.limits.admit(held))))
    await operator.command(['REPLICAOF', '127.0.0.1', '1'])
    const refused = await counter.limits.admit(claim(one, { cost: '0.1' }))
    assert.equal(refused.refusal?.limit, 'budget')
    assert.equal((await counter.limits.admit(claim(one))).refusal?.limit, 'concurrency')
    assert.equal(counter.limits.backend, 'local (redis is away)')
    counter.limits.settle(held, used(1, '0.05'))
    await sleep(1_500)
    await operator.command(['REPLICAOF', 'NO', 'ONE'])
    await counter.back()
    await waitFor(async () => (await counter.open()) === 0, { what: 'what it could not be told to be told' })
    await counter.comesTo(one, [usd('0.95'), 0n])
    assert.equal(counter.shared.dropped, 0)
  })

  test('are told anew to one that was emptied, as soon as that shows', async () => {
    const server = await start()
    const counter = new Counter(await connect(server))
    const [one, two] = [subject({ budget: ['1', 'TOTAL'] }), subject({ budget: ['1', 'TOTAL'] })]
    for (const each of [one, two]) {
      const before = claim(each, { cost: '0.5' })
      assert.ok(!(await isRefused(counter.limits.admit(before))))
      counter.limits.settle(before, used(1, '0.5'))
    }
    await counter.redis.command(['FLUSHALL'])
    const held = claim(one, { cost: '0.1' })
    assert.ok(!(await isRefused(counter.limits.admit(held))))
    await waitFor(async () => (await counter.sum(two))[0] === usd('0.5'), { what: 'Redis to be told' })
    await counter.comesTo(one, [usd('0.5'), usd('0.1')])
  })

  test('are told anew to one that has come back empty', async () => {
    const server = await start()
    const counter = new Counter(await connect(server))
    const one = subject({ budget: ['1', 'TOTAL'], maxRequests: 100 })
    const before = claim(one, { cost: '0.5' })
    assert.ok(!(await isRefused(counter.limits.admit(before))))
    counter.limits.settle(before, used(1, '0.5'))
    assert.ok(!(await isRefused(counter.limits.admit(claim(one)))))
    await server.stop()
    await waitFor(() => !counter.redis.ready)
    const away = claim(one, { cost: '0.3' })
    assert.ok(!(await isRefused(counter.limits.admit(away))))
    counter.limits.settle(away, used(1, '0.3'))
    await server.start()
    await counter.back()
    assert.ok(await isRefused(counter.limits.admit(claim(one, { cost: '0.21' }))))
    assert.ok(!(await isRefused(counter.limits.admit(claim(one, { cost: '0.2' })))))
    await waitFor(async () => (await counter.sum(one))[0] === usd('0.8'))
  })

  test('are refused where that is wanted', async () => {
    const server = await start()
    const counter = new Counter(await connect(server, BRIEF_MS), true)
    const one = subject({ maxConcurrent: 1 })
    const first = claim(one)
    assert.ok(!(await isRefused(counter.limits.admit(first))))
    server.pause()
    const unavailable = { code: 'limits_unavailable', status: 503, retryAfterMs: 1_000 }
    await assert.rejects(async () => counter.limits.admit(claim(one)), unavailable)
    assert.throws(() => counter.limits.admit(claim(one)), unavailable)
    assert.equal(counter.limits.backend, 'refused (redis is away)')
    counter.limits.settle(first, UNUSED)
    server.resume()
    await counter.back()
    assert.ok(!(await isRefused(counter.limits.admit(claim(one)))))
  })

  test('count what they could not keep to be told', async () => {
    const server = await start()
    const counter = new Counter(await connect(server), false, { mostUntold: 10 })
    const one = subject({ budget: ['1', 'TOTAL'] })
    await server.stop()
    await waitFor(() => !counter.redis.ready)
    for (let i = 0; i < 25; i++) {
      const each = claim(one, { cost: '0.01' })
      assert.ok(!(await isRefused(counter.limits.admit(each))))
      counter.limits.settle(each, used(1, '0.01'))
    }
    assert.equal(counter.shared.dropped, 15)
    await server.start()
    await counter.back()
    await counter.comesTo(one, [usd('0.1'), 0n])
  })
})

suite('limits of a proxy that died', { skip }, () => {
  const QUICK = { beatMs: 50, deadMs: 500, graceMs: 0 }

  test('free its places when their lease is over, and keep those of the living', async () => {
    const server = await start()
    const dead = new Counter(await connect(server), false, { leaseMs: 3_000 })
    const living = new Counter(await connect(server), false, { leaseMs: 3_000 })
    const [one, two] = [subject({ maxConcurrent: 1 }), subject({ maxConcurrent: 1 })]
    assert.ok(!(await isRefused(dead.limits.admit(claim(one)))))
    assert.ok(!(await isRefused(living.limits.admit(claim(two)))))
    assert.ok(await isRefused(living.limits.admit(claim(one))))
    await waitFor(async () => {
      living.shared.renew(living.limits.open())
      return !(await isRefused(living.limits.admit(claim(one))))
    })
    assert.ok(await isRefused(living.limits.admit(claim(two))))
  })

  test('count in full what it held, and are recorded once', async () => {
    const server = await start()
    const dead = new Counter(await connect(server))
    const one = subject({ budget: ['100', 'TOTAL'], maxRequests: 1_000 })
    const rate = subject({ kind: 'project', requestsPerMinute: 1_000 })
    const claims = Array.from({ length: 50 }, () => claim([one, rate], { cost: '0.3', tokens: 10 }))
    for (const each of [...claims, claim(rate)]) assert.ok(!(await isRefused(dead.limits.admit(each))))
    const found: LostClaim[][] = [[], []]
    const sweepers: Orphans[] = []
    for (const lost of found) {
      const redis = await connect(server)
      // None shows that it lives while it takes over: for longer than that takes, neither must take the other for dead.
      sweepers.push(new Orphans(redis, newId(), async (some) => void lost.push(...some), { ...QUICK, deadMs: 3_000 }))
    }
    await waitFor(async () => {
      for (const sweeper of sweepers) sweeper.look()
      return (await dead.open()) === 0
    })
    await waitFor(() => found.flat().length >= 50)
    assert.deepEqual(new Set(found.flat().map(({ id }) => id)), new Set(claims.map(({ id }) => id)))
    assert.equal(found.flat().length, 50)
    const lost = found.flat().find(({ id }) => id === claims[7]!.id)!
    const { id, at, cost, about } = claims[7]!
    assert.deepEqual(lost, { id, at, cost, about })
    await dead.comesTo(one, [usd('15'), 0n])
    await dead.comesTo(one, [50n * 10n ** 12n, 0n], 'requests')
    await waitFor(async () => {
      for (const sweeper of sweepers) sweeper.look()
      return (await dead.redis.command(['ZSCORE', 'millrace:limits:processes', dead.shared.process])) === null
    })
    // It was not dead, only out of reach: what its requests came to in the end holds.
    dead.limits.settle(claims[0]!, used(1, '0.1'))
    dead.limits.settle(claims[1]!, UNUSED)
    await dead.comesTo(one, [usd('14.5'), 0n])
    await dead.comesTo(one, [49n * 10n ** 12n, 0n], 'requests')
  })

  test('are recorded by another where the first to find them dies, too', async () => {
    const server = await start()
    const dead = new Counter(await connect(server))
    const one = claim(subject({ budget: ['1', 'TOTAL'] }), { cost: '0.3' })
    assert.ok(!(await isRefused(dead.limits.admit(one))))
    let told = 0
    const never = new Promise<void>(() => undefined)
    const first = new Orphans(await connect(server), newId(), (lost) => ((told += lost.length), never), QUICK)
    await waitFor(() => (first.look(), told === 1))
    const found: LostClaim[] = []
    const second = new Orphans(await connect(server), newId(), async (lost) => void found.push(...lost), QUICK)
    await waitFor(() => (second.look(), found.length === 1))
    assert.equal(found[0]!.id, one.id)
    assert.deepEqual(await dead.sum(one.subjects[0]!), [usd('0.3'), 0n])
    await waitFor(async () => ((await dead.redis.command(['KEYS', 'millrace:limits:lost:*'])) as string[]).length === 0)
  })

  test('leave the living alone', async () => {
    await unhurried(500, async (deadMs, late) => {
      // Anew, too: those of an attempt before are dead by now.
      const server = await start()
      const living = new Counter(await connect(server))
      const one = subject({ budget: ['1', 'TOTAL'] })
      assert.ok(!(await isRefused(living.limits.admit(claim(one, { cost: '0.3' })))))
      const own = new Orphans(living.redis, living.shared.process, async () => undefined, { ...QUICK, deadMs })
      let lost = 0
      const redis = await connect(server)
      const other = new Orphans(redis, newId(), async (some) => void (lost += some.length), { ...QUICK, deadMs })
      let looked = performance.now()
      for (let i = 0; i < 30; i++) {
        const before = looked
        looked = performance.now()
        own.look()
        other.look()
        for (const each of [living.redis, redis]) await each.command(['PING'])
        late(performance.now() - before > deadMs * 0.8)
        await sleep(deadMs / 10)
      }
      assert.equal(lost, 0)
      assert.equal(await living.open(), 1)
    })
  })

  test('leave nothing in Redis that has no end', async () => {
    const server = await start()
    const counter = new Counter(await connect(server))
    const limits = { requestsPerMinute: 5, tokensPerMinute: 500, maxConcurrent: 2, maxRequests: 5 }
    const all = subject({ ...limits, budget: ['1', 'DAY'] })
    for (let i = 0; i < 2; i++) {
      const each = claim(all, { tokens: 5, cost: '0.1' })
      assert.ok(!(await isRefused(counter.limits.admit(each))))
      if (i === 1) counter.limits.settle(each, used(900, '0.1'))
    }
    counter.shared.tell(claim(all), UNUSED)
    new Orphans(counter.redis, counter.shared.process, async () => undefined, QUICK).look()
    await sleep(100)
    const keys = await waitFor(async () => {
      const found = (await counter.redis.command(['KEYS', '*'])) as string[]
      return found.length >= 7 && found
    })
    for (const key of keys) assert.ok(Number(await counter.redis.command(['PTTL', key])) > 0, key)
  })
})
