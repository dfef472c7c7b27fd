/** Limits of proxies that are killed, alone and with Redis, and of several proxies at once. */
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { startGateway, type Gateway, type GatewayOptions } from '../helpers/gateway.ts'
import type { Answer } from '../helpers/http.ts'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { startUpstream, type Upstream } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import { codeOf, COST, EXACT, heldUntilRefused, Limited, statuses } from './limits/limited.ts'

const skip = await redisUnusable()
const disposables = new AsyncDisposableStack()
after(() => disposables.disposeAsync())

async function start(
  options: GatewayOptions = {},
): Promise<{ gateway: Gateway; upstream: Upstream; limited: Limited }> {
  const upstream = disposables.use(await startUpstream())
  const gateway = disposables.use(await startGateway(options))
  return { gateway, upstream, limited: new Limited(gateway, upstream) }
}

async function redis(): Promise<RedisServer> {
  return disposables.use(await RedisServer.start())
}

interface Sums {
  readonly spentUsd: number
  readonly recordedUsd: number
  readonly records: readonly {
    status: string
    errorMessage: string | null
    costUsd: string | null
    usage: { source: string }
  }[]
}

/** What control says is spent, and what the records of a token come to. */
async function sumsOf(gateway: Gateway, limited: Limited, token: string): Promise<Sums> {
  const { budget } = await limited.spent(token)
  const { requests } = await gateway.control.gql<{ requests: { edges: { node: Sums['records'][number] }[] } }>(
    'query ($id: ID!) { requests(filter: { token: $id }, first: 500) { edges { node { status errorMessage costUsd usage { source } } } } }',
    { id: token },
  )
  const records = requests.edges.map(({ node }) => node)
  const recorded = records.reduce((sum, { costUsd }) => sum + Math.round(Number(costUsd ?? 0) * 1e12), 0)
  return { spentUsd: Math.round(Number(budget!.spentUsd) * 1e12), recordedUsd: recorded, records }
}

const thousandths = (count: number): number => Math.round(count * COST * 1e12)

suite('a proxy that is killed in the middle of its requests', () => {
  test('has spent what they had reserved, and goes on from there', async () => {
    const { gateway, upstream, limited } = await start()
    const quick = await limited.priced()
    const slow = await limited.priced(behaviours.stall('before-headers'))
    const { id, secret } = await limited.token({ budget: { limitUsd: '0.1', period: 'MONTH' }, maxRequests: 1_000 })
    for (let i = 0; i < 3; i++) assert.equal((await limited.chat(secret, quick, EXACT)).status, 200)
    await waitFor(async () => (await limited.spent(id)).requestCount === 3)
    const seen = upstream.requests.length
    const cut = Array.from({ length: 5 }, () => limited.chat(secret, slow, EXACT).catch(() => null))
    await upstream.seen(seen + 5)
    await gateway.proxy.kill9()
    await Promise.all(cut)
    await gateway.proxy.restart()
    await gateway.untilServed()

    const answers = await Promise.all(Array.from({ length: 50 }, () => limited.chat(secret, quick, EXACT)))
    assert.deepEqual(statuses(answers), { 200: 6, 429: 44 }, '14 fit, 3 and 5 were gone')
    await waitFor(async () => (await limited.spent(id)).requestCount === 14, { timeoutMs: 20_000 })
    const { spentUsd, recordedUsd, records } = await sumsOf(gateway, limited, id)
    assert.deepEqual([spentUsd, recordedUsd], [thousandths(14), thousandths(14)])
    const lost = records.filter(({ status }) => status === 'ERROR')
    assert.equal(lost.length, 5)
    assert.match(lost[0]!.errorMessage!, /the proxy ended before the request did/)
    assert.deepEqual([lost[0]!.costUsd, lost[0]!.usage.source], ['0.007', 'ESTIMATED'])
    assert.match(gateway.proxy.output().stderr, /a proxy ended before its requests did/)
  })

  test('and whose control plane is, too, still knows', async () => {
    const { gateway, limited } = await start()
    const alias = await limited.priced()
    const { secret } = await limited.token({ budget: { limitUsd: '0.1', period: 'DAY' }, maxRequests: 100 })
    for (let i = 0; i < 14; i++) assert.equal((await limited.chat(secret, alias, EXACT)).status, 200)
    await gateway.control.kill9()
    await gateway.proxy.kill9()
    await gateway.proxy.restart()
    const answer = await waitFor(async () => {
      const one = await limited.chat(secret, alias, EXACT)
      return one.status !== 503 && one
    })
    assert.equal(codeOf(answer), 'budget_exceeded')
  })
})

suite('two proxies with Redis', { skip }, () => {
  /** Requests in turn to both. */
  async function both(count: number, chat: (i: number) => Promise<Answer>): Promise<Answer[]> {
    return Promise.all(Array.from({ length: count }, (_, i) => chat(i)))
  }

  test('hold one budget, one quota, one rate and one number of places', async () => {
    const server = await redis()
    const { gateway, limited } = await start({ proxyEnv: { MILLRACE_REDIS_URL: server.url } })
    const alias = await limited.priced()
    const held = heldUntilRefused(26)
    const holding = await limited.priced(held.behaviour)
    const budget = await limited.token({ budget: { limitUsd: '0.1', period: 'DAY' } })
    const quota = await limited.token({ maxRequests: 2 })
    const places = await limited.token({ limits: { maxConcurrent: 4 } })
    const rate = await limited.token({ limits: { requestsPerMinute: 2 } })
    const other = await gateway.addProxy()
    const proxies = [gateway.proxy, other]
    for (const { url } of proxies) {
      const ready = await waitFor(async () => {
        const one = (await (await fetch(`${url}/readyz`)).json()) as { limits: string }
        return one.limits === 'redis' && one
      })
      assert.equal(ready.limits, 'redis')
    }
    const ask =
      (secret: string, model = alias) =>
      (i: number) =>
        limited.chat(secret, model, EXACT, {}, proxies[i % 2])
    assert.deepEqual(statuses(await both(200, ask(budget.secret))), { 200: 14, 429: 186 })
    assert.deepEqual(statuses(await both(50, ask(quota.secret))), { 200: 2, 429: 48 })
    const placed = await both(30, (i) => held.refusing(ask(places.secret, holding)(i)))
    assert.deepEqual(statuses(placed), { 200: 4, 429: 26 })
    assert.deepEqual(statuses(await both(30, ask(rate.secret))), { 200: 2, 429: 28 })
    assert.equal((await limited.chat(places.secret, alias, EXACT, {}, other)).status, 200)
    await waitFor(async () => (await limited.spent(budget.id)).requestCount === 14)
    const { spentUsd, recordedUsd } = await sumsOf(gateway, limited, budget.id)
    assert.deepEqual([spentUsd, recordedUsd], [thousandths(14), thousandths(14)])

    // Every five seconds a proxy asks control what others have spent: twice that, for a machine that is busy.
    await sleep(10_000)
    await server.stop()
    const away = await waitFor(async () => {
      const { limits } = (await (await fetch(`${other.url}/readyz`)).json()) as { limits: string }
      return limits !== 'redis' && limits
    })
    assert.equal(away, 'local (redis is away)')
    assert.equal(codeOf(await limited.chat(budget.secret, alias, EXACT)), 'budget_exceeded')
    await waitFor(() => other.output().stderr.includes('limits are counted by this proxy alone'))
    await server.start()
    await waitFor(
      async () => ((await (await fetch(`${other.url}/readyz`)).json()) as { limits: string }).limits === 'redis',
    )
    // Redis has come back empty: what control knows is told to it.
    assert.equal((await limited.chat(rate.secret, alias, EXACT, {}, other)).status, 200)
  })

  test('are refused what is limited while Redis is away, where that is wanted', async () => {
    const server = await redis()
    const env = { MILLRACE_REDIS_URL: server.url, MILLRACE_LIMITS_WITHOUT_REDIS: 'refuse' }
    const { gateway, limited } = await start({ proxyEnv: env })
    const alias = await limited.priced()
    const { secret } = await limited.token({ limits: { maxConcurrent: 4 } })
    await server.stop()
    const refused = await waitFor(async () => {
      const one = await limited.chat(secret, alias)
      return one.status !== 200 && one
    })
    assert.deepEqual(
      [refused.status, codeOf(refused), refused.headers['retry-after']],
      [503, 'limits_unavailable', '1'],
    )
    assert.equal((await limited.chat(gateway.token, alias)).status, 200, 'what is not limited is served')
    await server.start()
    await waitFor(async () => (await limited.chat(secret, alias)).status === 200)
  })
})
