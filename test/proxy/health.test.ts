/** What proxies report of providers, as operators see it: Provider.health and the providerHealth subscription. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { setBreaker } from '../helpers/configuration.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'

const HEALTH = /* GraphQL */ `
  state windowRequests windowErrors errorRate inFlight latencyP50Ms latencyP95Ms timeToFirstTokenP50Ms
  openedAt retryAt lastError lastErrorAt
`

interface Health {
  readonly state: string
  readonly windowRequests: number
  readonly windowErrors: number
  readonly errorRate: number
  readonly inFlight: number
  readonly latencyP50Ms: number | null
  readonly latencyP95Ms: number | null
  readonly timeToFirstTokenP50Ms: number | null
  readonly openedAt: string | null
  readonly retryAt: string | null
  readonly lastError: string | null
  readonly lastErrorAt: string | null
}

const scene = useScene()
/** Ten times the two seconds after which a proxy reports. */
const LONG_MS = 20_000

async function health(provider: string): Promise<Health> {
  const answer = await scene.gateway.control.gql<{ provider: { health: Health } }>(
    `query ($id: ID!) { provider(id: $id) { health { ${HEALTH} } } }`,
    { id: provider },
  )
  return answer.provider.health
}

function until(provider: string, what: string, wanted: (health: Health) => boolean): Promise<Health> {
  return waitFor(
    async () => {
      const now = await health(provider)
      return wanted(now) && now
    },
    { what, timeoutMs: LONG_MS, intervalMs: 100 },
  )
}

describe('a provider', { concurrency: true }, () => {
  test('that nobody has asked is closed, and has no figures', async () => {
    const provider = await scene.gateway.addProvider(scene.upstream.baseUrl)
    const { state, windowRequests, latencyP50Ms, lastError, openedAt } = await health(provider)
    assert.deepEqual([state, windowRequests, latencyP50Ms, lastError, openedAt], ['CLOSED', 0, null, null, null])
  })

  test('that answers has latencies', async () => {
    const routed = await scene.routed({ only: { behaviour: behaviours.answer({ afterMs: 200 }) } })
    for (let i = 0; i < 4; i++) await scene.chat(scene.body(routed.model, { stream: i % 2 === 0 }))
    const wanted = (now: Health) => now.windowRequests === 4 && now.timeToFirstTokenP50Ms !== null
    const { state, windowErrors, errorRate, ...figures } = await until(routed.provider('only'), 'its figures', wanted)
    assert.deepEqual([state, windowErrors, errorRate], ['CLOSED', 0, 0])
    for (const ms of [figures.latencyP50Ms, figures.latencyP95Ms, figures.timeToFirstTokenP50Ms]) {
      // A quantile is off by 5 % at most.
      assert.ok(ms !== null && ms >= 185 && ms < LONG_MS, String(ms))
    }
  })

  test('shows what it is doing', async () => {
    const release = Promise.withResolvers<void>()
    const behaviour = behaviours.onceReleased(release.promise, behaviours.answer())
    const routed = await scene.routed({ only: { behaviour } })
    const answers = Array.from({ length: 3 }, () => scene.chat(scene.body(routed.model)))
    await until(routed.provider('only'), 'three in flight', ({ inFlight }) => inFlight === 3)
    release.resolve()
    await Promise.all(answers)
    await until(routed.provider('only'), 'none in flight', ({ inFlight }) => inFlight === 0)
  })

  test('that fails is open, says since when and until when, and what the last failure was', async () => {
    const provider = { breaker: { consecutiveFailures: 2, openSeconds: 600, maxOpenSeconds: 600 } }
    const routed = await scene.routed({ only: { behaviour: behaviours.serverError(), provider } })
    const began = Date.now()
    await scene.chat(scene.body(routed.model))
    const now = await until(routed.provider('only'), 'the breaker to be shown open', ({ state }) => state === 'OPEN')
    assert.ok(now.windowErrors >= 2 && now.errorRate === 1, JSON.stringify(now))
    assert.match(String(now.lastError), /500|upstream_5xx/)
    const slack = 5_000
    for (const [name, at] of Object.entries({ openedAt: now.openedAt, lastErrorAt: now.lastErrorAt })) {
      assert.ok(
        Date.parse(String(at)) >= began - slack && Date.parse(String(at)) <= Date.now() + slack,
        `${name} ${at}`,
      )
    }
    const openFor = Date.parse(String(now.retryAt)) - Date.parse(String(now.openedAt))
    assert.ok(openFor >= 400_000 && openFor <= 800_000, `${openFor} ms`)
  })

  test('that an operator has forced says so', async () => {
    const provider = await scene.gateway.addProvider(scene.upstream.baseUrl)
    for (const state of ['FORCED_OPEN', 'FORCED_CLOSED', 'CLOSED'] as const) {
      await setBreaker(scene.gateway.control, provider, state)
      await until(provider, state, (now) => now.state === state)
    }
  })
})

test('providerHealth tells of a breaker that opens', async () => {
  const provider = { breaker: { consecutiveFailures: 2, openSeconds: 600, maxOpenSeconds: 600 } }
  const routed = await scene.routed({ only: { behaviour: behaviours.serverError(), provider } })
  const id = routed.provider('only')
  await using events = scene.gateway.control.subscribe<{ providerHealth: { id: string; health: Health } }>(
    `subscription { providerHealth { id health { ${HEALTH} } } }`,
  )
  const opened = (async () => {
    for await (const { providerHealth } of events) {
      if (providerHealth.id === id && providerHealth.health.state === 'OPEN') return providerHealth.health
    }
    throw new Error('the subscription ended')
  })()
  await events.connected
  await scene.chat(scene.body(routed.model))
  const { windowErrors } = await within(LONG_MS, 'the event', opened)
  assert.ok(windowErrors >= 2)
})
