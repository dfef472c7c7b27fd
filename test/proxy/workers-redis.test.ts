/** Several workers that count their limits in Redis: as real processes, one of which is killed, or Redis goes. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'

import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import { COST, EXACT, Limited, statuses } from './limits/limited.ts'
import { allReady, readyz, THREE, workersOf } from './workers/crew.ts'

suite('three workers with Redis', { skip: await redisUnusable() }, () => {
  const stack = new AsyncDisposableStack()
  let redis: RedisServer
  let upstream: Upstream
  let gateway: Gateway
  let limited: Limited
  let model: string

  before(async () => {
    redis = stack.use(await RedisServer.start())
    upstream = stack.use(await startUpstream())
    gateway = stack.use(await startGateway({ env: { MILLRACE_REDIS_URL: redis.url }, proxyEnv: THREE }))
    limited = new Limited(gateway, upstream)
    model = await limited.priced()
    await allReady(gateway.proxy)
  })
  after(() => stack.disposeAsync())

  const counted = (by: string): Promise<unknown> =>
    waitFor(async () => (await readyz(gateway.proxy)).limits === by, {
      what: `limits to be ${by}`,
      timeoutMs: 60_000,
    })
  const chats = (count: number, secret: string, of = model, proxy = gateway.proxy) =>
    Promise.all(Array.from({ length: count }, () => limited.chat(secret, of, EXACT, {}, proxy)))

  test('share limits, quotas and budgets with each other and with another proxy', async () => {
    await counted('redis')
    const other = await gateway.addProxy()
    await allReady(other)
    const quota = await limited.token({ maxRequests: 2 })
    const budget = await limited.token({ budget: { limitUsd: String(10 * COST), period: 'TOTAL' } })
    await gateway.untilServed(undefined, other)
    for (const [token, passed] of [
      [quota, 2],
      [budget, 10],
    ] as const) {
      const answers = (await Promise.all([chats(20, token.secret), chats(20, token.secret, model, other)])).flat()
      assert.deepEqual(statuses(answers), { 200: passed, 429: 40 - passed })
    }
    await waitFor(async () => Number((await limited.spent(budget.id)).budget?.spentUsd) === 10 * COST)
    await other.stop()
  })

  test('go on together while Redis is away, and after it has come back with nothing', async () => {
    await counted('redis')
    const quota = await limited.token({ maxRequests: 12 })
    const { promise, resolve } = Promise.withResolvers<void>()
    const held = await limited.priced(behaviours.onceReleased(promise, behaviours.answer()))
    const places = await limited.token({ limits: { maxConcurrent: 3 } })
    const budget = await limited.token({ budget: { limitUsd: String(8 * COST), period: 'TOTAL' } })
    assert.deepEqual(statuses(await chats(4, quota.secret)), { 200: 4 })
    assert.deepEqual(statuses(await chats(2, budget.secret)), { 200: 2 })
    const asked = chats(3, places.secret, held)
    await waitFor(() => upstream.requests.filter((seen) => seen.model === held).length === 3)

    await redis.stop()
    await counted('local (redis is away)')
    // Each worker notices by itself.
    await delay(300)
    assert.deepEqual(statuses(await chats(4, places.secret)), { 429: 4 }, 'places that Redis gave are held here')
    resolve()
    assert.deepEqual(statuses(await asked), { 200: 3 })
    assert.deepEqual(statuses(await chats(3, places.secret)), { 200: 3 })
    assert.deepEqual(statuses(await chats(4, quota.secret)), { 200: 4 })
    assert.deepEqual(statuses(await chats(3, budget.secret)), { 200: 3 })

    await redis.start()
    await counted('redis')
    for (const { secret } of [quota, budget]) assert.deepEqual(statuses(await chats(1, secret)), { 200: 1 })
    await waitFor(async () => (await limited.spent(quota.id)).requestCount === 9)
    // What no worker knows alone, control tells them every 5 s: twice, since a busy machine may be late with one.
    await delay(12_000)
    assert.deepEqual(statuses(await chats(10, quota.secret)), { 200: 3, 429: 7 })
    assert.deepEqual(statuses(await chats(10, budget.secret)), { 200: 2, 429: 8 })
    assert.deepEqual(statuses(await chats(3, places.secret)), { 200: 3 })
  })

  test('lose nothing of what one had reserved that is killed', async () => {
    await counted('redis')
    const endless = await limited.priced(behaviours.stall('mid-body'), { retry: { maxAttempts: 1 } })
    const budget = await limited.token({ budget: { limitUsd: String(6 * COST), period: 'TOTAL' } })
    const open = chats(6, budget.secret, endless).catch(() => [])
    await waitFor(() => upstream.requests.filter((seen) => seen.model === endless).length === 6)
    for (const pid of workersOf(gateway.proxy)) process.kill(pid, 'SIGKILL')
    await open
    await waitFor(async () => (await readyz(gateway.proxy).catch(() => null))?.ready, { timeoutMs: 60_000 })
    await counted('redis')
    assert.deepEqual(statuses(await chats(4, budget.secret)), { 429: 4 })
  })
})
