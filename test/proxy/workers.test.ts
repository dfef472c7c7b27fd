/** Several processes behind one port are one proxy: to clients, to operators, to providers. */
import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import { suite, test } from 'node:test'

import { uniqueName } from '../helpers/gateway.ts'
import { send, type OpenAnswer } from '../helpers/http.ts'
import type { Routed } from '../helpers/routed.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'
import { Limited, statuses } from './limits/limited.ts'
import { metric, metricValue, readyz, THREE, workersOf } from './workers/crew.ts'

const scene = useScene(
  { proxyEnv: THREE },
  async ({ gateway, upstream }) => void (limited = new Limited(gateway, upstream)),
)
let limited: Limited

interface Instance {
  readonly id: string
  readonly online: boolean
  readonly inFlight: number
  readonly configRevision: number
}

async function instances(): Promise<Instance[]> {
  return (await scene.gateway.control.gql<{ proxies: Instance[] }>('{ proxies { id online inFlight configRevision } }'))
    .proxies
}

const many = <T>(count: number, ask: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => ask(i)))

/** Streams that do not end before they are let go: one connection each. */
async function streams(count: number): Promise<readonly OpenAnswer[]> {
  const model = await scene.behaving(uniqueName('endless'), behaviours.stall('mid-body'))
  return many(count, async () => {
    const answer = await scene.open(scene.body(model, { stream: true }))
    await answer.until('data:')
    return answer
  })
}

suite('three workers', () => {
  test('are three processes of one proxy, ready when all of them are', async () => {
    assert.equal(workersOf(scene.gateway.proxy).length, 3)
    const { status, ready, workers, revision, limits } = await readyz(scene.gateway.proxy)
    assert.deepEqual([status, ready, workers, limits], [200, true, { ready: 3, of: 3 }, 'local'])
    assert.equal(revision, await scene.gateway.revision())
    await waitFor(async () => {
      const [one, other] = await instances()
      assert.equal(other, undefined)
      return one!.online && one!.configRevision === revision
    })
  })

  test('are told of as one: what is under way in all of them', async () => {
    const open = await streams(6)
    try {
      await waitFor(async () => (await metricValue(scene.gateway.proxy, 'millrace_in_flight')) === 6)
      await waitFor(async () => (await instances())[0]!.inFlight === 6, { what: 'the report' })
    } finally {
      for (const answer of open) answer.abort()
    }
    await waitFor(async () => (await metricValue(scene.gateway.proxy, 'millrace_in_flight')) === 0)
  })

  test('have one set of metrics', async () => {
    const { proxy } = scene.gateway
    assert.equal(await metricValue(proxy, 'millrace_config_revision'), await scene.gateway.revision())
    assert.equal(await metricValue(proxy, 'millrace_records_dropped_total'), 0)
    assert.ok((await metricValue(proxy, 'millrace_records_queued')) >= 0)
    assert.equal((await metric(proxy, 'millrace_breaker_state')).get('provider="scene-provider"'), 0)
    // Four processes of Node, the primary among them.
    assert.ok((await metricValue(proxy, 'process_resident_memory_bytes')) > 4 * 40_000_000)
    let before = 0
    for (let i = 0; i < 6; i++) {
      const cpu = await metricValue(proxy, 'process_cpu_seconds_total')
      assert.ok(cpu >= before, `${cpu} after ${before}`)
      before = cpu
    }
  })

  test('store each record once', async () => {
    const ids = await many(60, async () => {
      const id = uniqueName('once')
      assert.equal((await scene.chat(scene.body(), { 'x-request-id': id })).status, 200)
      return id
    })
    await scene.gateway.assertOneRecordEach(ids)
  })

  test('keep a user with one route', async () => {
    const routed: Routed<'a' | 'b'> = await scene.routed(
      { a: {}, b: {} },
      { sticky: { scope: 'USER', ttlSeconds: 600 } },
    )
    let torn = 0
    for (let user = 0; user < 8; user++) {
      const answers = await many(6, () => scene.chat(scene.body(routed.model, { user: `u${user}` })))
      if (new Set(answers.map((answer) => routed.by(answer))).size > 1) torn++
    }
    // A worker does not wait for a primary that stands still; one in 32 would be with one route by chance.
    assert.ok(torn <= 2, `${torn} of 8 users`)
  })

  test('know a failing provider as soon as one of them does, and a mended one', async () => {
    const AT_THREE = { consecutiveFailures: 3, openSeconds: 1, maxOpenSeconds: 1 }
    const routed = await scene.routed(
      { first: { behaviour: behaviours.serverError(), provider: { breaker: AT_THREE } }, other: { priority: 1 } },
      { retry: { maxAttempts: 1 } },
    )
    const breaker = async () =>
      (await metric(scene.gateway.proxy, 'millrace_breaker_state')).get(`provider="${routed.nameOf('first')}"`)
    // On one connection: one worker sees all of it.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const headers = { authorization: `Bearer ${scene.gateway.token}`, 'content-type': 'application/json' }
    const body = JSON.stringify(scene.body(routed.model))
    for (let i = 0; i < 3; i++) assert.equal((await send(scene.chatUrl, { headers, body, agent })).status, 502)
    agent.destroy()
    const calls = routed.calls('first')
    assert.equal(calls, 3)
    await waitFor(async () => (await breaker()) !== 0, { what: 'the breaker to open' })
    routed.behaves('first', behaviours.answer())
    // When its time is over one of them tries, and with that it is well in all.
    await waitFor(async () => routed.by(await scene.chat(scene.body(routed.model))) === 'first', { timeoutMs: 20_000 })
    await waitFor(async () => (await breaker()) === 0, { what: 'the breaker to be closed in all workers' })
  })

  test('let through together what one would', async () => {
    const quota = await limited.token({ maxRequests: 2 })
    assert.deepEqual(statuses(await many(50, () => limited.chat(quota.secret, scene.alias))), { 200: 2, 429: 48 })
    const rate = await limited.token({ limits: { requestsPerMinute: 5 } })
    const { 200: passed } = statuses(await many(40, () => limited.chat(rate.secret, scene.alias)))
    // One more comes each 12 seconds.
    assert.ok(passed === 5 || passed === 6, String(passed))
    await waitFor(async () => (await limited.spent(quota.id)).requestCount === 2)
  })

  test('serve so many requests of a token at once, and others when these have ended', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const model = await scene.behaving(uniqueName('held'), behaviours.onceReleased(promise, behaviours.answer()))
    const { secret } = await limited.token({ limits: { maxConcurrent: 4 } })
    const asked = many(12, () => limited.chat(secret, model))
    await waitFor(() => scene.upstream.requests.filter((seen) => seen.model === model).length === 4)
    resolve()
    assert.deepEqual(statuses(await asked), { 200: 4, 429: 8 })
    assert.deepEqual(statuses(await many(4, () => limited.chat(secret, model))), { 200: 4 })
  })
})

suite('a provider that takes so many requests at once', () => {
  for (const places of [1, 2]) {
    test(`never has more than ${places} of three workers, and all who wait are served`, async () => {
      let now = 0
      let most = 0
      const slow = behaviours.answer({ afterMs: 40 })
      const routed = await scene.routed({
        only: {
          provider: { maxConcurrency: places, timeouts: { connect: 60_000 } },
          behaviour: async (exchange) => {
            most = Math.max(most, ++now)
            // Before the last of it is sent: the proxy may know that it has ended before we do.
            exchange.response.once('prefinish', () => now--)
            await slow(exchange)
          },
        },
      })
      const answers = await many(45, () => scene.chat(scene.body(routed.model)))
      assert.deepEqual(routed.count(answers), { only: 45 })
      assert.equal(most, places)
    })
  }

  test('is passed over when it is full, and not before, whoever has its places', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const routed = await scene.routed({
      small: { behaviour: behaviours.onceReleased(promise, behaviours.answer()), provider: { maxConcurrency: 4 } },
      other: { priority: 1 },
    })
    const asked: Promise<unknown>[] = []
    for (let i = 1; i <= 4; i++) {
      asked.push(scene.chat(scene.body(routed.model)))
      await waitFor(() => routed.calls('small') === i, { what: `request ${i} at its provider` })
    }
    for (let i = 0; i < 6; i++) assert.equal(routed.by(await scene.chat(scene.body(routed.model))), 'other')
    resolve()
    await Promise.all(asked)
    for (let i = 0; i < 9; i++) assert.equal(routed.by(await scene.chat(scene.body(routed.model))), 'small')
  })
})
