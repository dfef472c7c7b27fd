/** Why a request went where it went: stored, as it happens, and explained before it does. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { setBreaker } from '../helpers/configuration.ts'
import { uniqueName } from '../helpers/gateway.ts'
import type { Routed } from '../helpers/routed.ts'
import { useScene } from '../helpers/scene.ts'
import { DECISION_FIELDS, type StoredDecision } from '../helpers/stored-record.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor, within } from '../helpers/wait.ts'

const scene = useScene()
const { serverError } = behaviours
/** Ten times the two seconds after which a proxy reports how it does. */
const LONG_MS = 20_000

interface Explain {
  readonly model: string
  readonly endpoint?: string
  readonly token?: string
  readonly project?: string
  readonly userKey?: string
  readonly conversationKey?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Readonly<Record<string, unknown>>
  readonly configRevision?: number
}

async function explain(input: Explain): Promise<StoredDecision> {
  const { explainRoute } = await scene.gateway.control.gql<{ explainRoute: StoredDecision }>(
    `query ($input: ExplainRouteInput!) { explainRoute(input: $input) { ${DECISION_FIELDS} } }`,
    { input },
  )
  return explainRoute
}

async function ask<K extends string>(routed: Routed<K>, more: Readonly<Record<string, unknown>> = {}) {
  const id = uniqueName('decision')
  const answer = await scene.chat(scene.body(routed.model, more), { 'x-request-id': id })
  const record = await scene.gateway.record(id)
  return { answer, record, decision: record.decision!, id }
}

describe('a decision', { concurrency: true }, () => {
  test('is of its request, and says what happened', async () => {
    const routed = await scene.routed({
      off: { enabled: false },
      special: { condition: { stream: true } },
      first: { behaviour: serverError(), priority: 1, weight: 7 },
      other: { priority: 2 },
    })
    const { record, decision, id, answer } = await ask(routed)
    assert.equal(decision.id, record.id)
    assert.equal(decision.requestId, id)
    assert.equal(decision.model, routed.model)
    assert.equal(decision.alias?.id, routed.aliasId)
    assert.equal(decision.configRevision, Number(answer.headers['x-millrace-revision']))
    assert.deepEqual(routed.excluded(decision), {
      off: 'DISABLED',
      special: 'CONDITION_NOT_MET',
      first: null,
      other: null,
    })
    assert.deepEqual(
      decision.candidates.map(({ priority, weight }) => [priority, weight]),
      [
        [0, 1],
        [0, 1],
        [1, 7],
        [2, 1],
      ],
    )
    assert.equal(routed.selected(decision), 'other')
    assert.equal(decision.fallbackUsed, true)
    assert.deepEqual(decision.attempts, record.attempts)
    assert.deepEqual(routed.order(decision.attempts), ['first', 'other'])
    assert.equal(decision.attempts[1]!.routeId, decision.selectedRoute!.id)
    const { scope, key, hit, action } = decision.sticky
    assert.deepEqual({ scope, key, hit, action }, { scope: 'NONE', key: null, hit: false, action: 'NONE' })
  })

  test('is none where nothing was routed', async () => {
    const id = uniqueName('decision')
    await scene.chat(scene.body('nobody-has-this'), { 'x-request-id': id })
    assert.equal((await scene.gateway.record(id)).decision, null)
  })

  test('is there where no route could be taken', async () => {
    const routed = await scene.routed({ off: { enabled: false } })
    const { answer, decision } = await ask(routed)
    assert.equal(answer.status, 503)
    assert.deepEqual(routed.excluded(decision), { off: 'DISABLED' })
    assert.deepEqual([decision.selectedRoute, decision.fallbackUsed, decision.attempts], [null, false, []])
  })

  test('is found by what it was: alias, provider, route, fallback', async () => {
    const routed = await scene.routed({ first: { behaviour: serverError() }, other: { priority: 1 } })
    const { decision } = await ask(routed)
    routed.behaves('first', behaviours.answer())
    const plain = (await ask(routed)).decision
    const find = async (filter: object): Promise<string[]> => {
      const { routeDecisions } = await scene.gateway.control.gql<{
        routeDecisions: { edges: { node: { id: string } }[] }
      }>('query ($filter: DecisionFilter) { routeDecisions(filter: $filter) { edges { node { id } } } }', { filter })
      return routeDecisions.edges.map(({ node }) => node.id)
    }
    const alias = routed.aliasId
    assert.deepEqual(await find({ alias }), [plain.id, decision.id], 'newest first')
    assert.deepEqual(await find({ alias, fallbackUsed: true }), [decision.id])
    assert.deepEqual(await find({ alias, fallbackUsed: false }), [plain.id])
    assert.deepEqual(await find({ requestId: decision.requestId }), [decision.id])
    assert.deepEqual(await find({ provider: routed.provider('other') }), [decision.id])
    assert.deepEqual(await find({ route: decision.selectedRoute!.id }), [decision.id])
  })
})

test('routeDecisionFeed tells of decisions as they are made, and of those alone that were asked for', async () => {
  const [wanted, unwanted] = await Promise.all([scene.routed({ only: {} }), scene.routed({ only: {} })])
  await using feed = scene.gateway.control.subscribe<{ routeDecisionFeed: StoredDecision }>(
    `subscription ($alias: ID!) { routeDecisionFeed(filter: { alias: $alias }) { ${DECISION_FIELDS} } }`,
    { alias: wanted.aliasId },
  )
  const next = feed.next()
  await feed.connected
  // Subscribed for sure once an event has come; until then requests may be too early.
  const first = within(LONG_MS, 'the first event', next)
  let told = false
  void first.then(() => (told = true))
  await waitFor(
    async () => {
      await scene.chat(scene.body(unwanted.model))
      await scene.chat(scene.body(wanted.model))
      return told
    },
    { intervalMs: 200, timeoutMs: LONG_MS },
  )
  const { routeDecisionFeed: decision } = (await first).value
  assert.equal(decision.alias?.id, wanted.aliasId)
  assert.equal(wanted.selected(decision), 'only')
  assert.equal(decision.attempts.length, 1)
})

describe('explainRoute', { concurrency: true }, () => {
  test('agrees with what the proxy then does, whatever is asked', async () => {
    const routed = await scene.routed({
      off: { enabled: false },
      gold: { condition: { 'headers.x-tier': 'gold' } },
      ann: { condition: { user: 'ann' } },
      tools: { condition: { tools: true }, priority: 1 },
      usual: { priority: 2 },
    })
    const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }]
    const requests: [Omit<Explain, 'model'>, Record<string, unknown>, Record<string, string>][] = [
      [{}, {}, {}],
      [{ headers: { 'x-tier': 'gold' } }, {}, { 'x-tier': 'gold' }],
      [{ userKey: 'ann' }, { user: 'ann' }, {}],
      [{ body: { user: 'ann' } }, { user: 'ann' }, {}],
      [{ body: { tools } }, { tools }, {}],
    ]
    const project = await scene.gateway.projectId()
    for (const [input, body, headers] of requests) {
      const explained = await explain({ model: routed.model, project, ...input })
      const id = uniqueName('explained')
      const answer = await scene.chat(scene.body(routed.model, body), { 'x-request-id': id, ...headers })
      const { decision } = await scene.gateway.record(id)
      assert.equal(routed.selected(explained), routed.by(answer))
      assert.deepEqual(routed.excluded(explained), routed.excluded(decision!))
      assert.deepEqual(
        explained.candidates.map(({ score }) => score),
        decision!.candidates.map(({ score }) => score),
      )
      assert.equal(explained.selectedRoute?.id, decision!.selectedRoute?.id)
      assert.deepEqual([explained.attempts, explained.fallbackUsed], [[], false])
    }
  })

  test('answers from the live health of the proxies', async () => {
    const breaker = { consecutiveFailures: 2, openSeconds: 600, maxOpenSeconds: 600 }
    const routed = await scene.routed({
      broken: { behaviour: serverError(), provider: { breaker } },
      limited: { behaviour: behaviours.rateLimited('60') },
      other: { priority: 1 },
    })
    for (let i = 0; i < 20; i++) await scene.chat(scene.body(routed.model))
    const { decision } = await ask(routed)
    assert.deepEqual(routed.excluded(decision), { broken: 'BREAKER_OPEN', limited: 'COOLING_DOWN', other: null })
    await waitFor(
      async () => {
        const explained = await explain({ model: routed.model })
        assert.deepEqual(routed.excluded(explained), routed.excluded(decision))
        assert.equal(routed.selected(explained), 'other')
        return true
      },
      { what: 'the explanation to know what the proxy knows', timeoutMs: LONG_MS, intervalMs: 200 },
    )
  })

  test('knows what an operator has forced', async () => {
    const routed = await scene.routed({ first: {}, other: { priority: 1 } })
    await setBreaker(scene.gateway.control, routed.provider('first'), 'FORCED_OPEN')
    await waitFor(async () => routed.selected(await explain({ model: routed.model })) === 'other', {
      what: 'the forced state to be known',
    })
  })

  test('answers from an older revision', async () => {
    const routed = await scene.routed({ first: {}, other: { priority: 1 } })
    const before = await scene.gateway.revision()
    const { routes } = await scene.gateway.control
      .gql('query ($id: ID!) { alias(id: $id) { routes { id priority } } }', { id: routed.aliasId })
      .then(({ alias }) => alias as { routes: { id: string; priority: number }[] })
    const first = routes.find(({ priority }) => priority === 0)!
    await scene.gateway.control.gql(
      'mutation ($id: ID!) { updateRoute(id: $id, input: { enabled: false }) { enabled } }',
      { id: first.id },
    )
    const { model } = routed
    assert.equal(routed.selected(await explain({ model })), 'other')
    const then = await explain({ model, configRevision: before })
    assert.equal(routed.selected(then), 'first')
    assert.equal(then.configRevision, before)
  })

  test('touches nothing: no provider, no turn, no binding, no record', async () => {
    const routed = await scene.routed(
      { a: {}, b: {} },
      { strategy: 'ROUND_ROBIN', sticky: { scope: 'USER', ttlSeconds: 600 } },
    )
    const turns: string[] = [routed.by(await scene.chat(scene.body(routed.model)))]
    for (let i = 0; i < 3; i++) await explain({ model: routed.model, userKey: 'ann' })
    turns.push(routed.by(await scene.chat(scene.body(routed.model))))
    assert.deepEqual(turns.toSorted(), ['a', 'b'], 'the next turn is still the next')
    const { sticky } = (await ask(routed, { user: 'ann' })).decision
    assert.equal(sticky.action, 'BIND', 'nothing was bound before')
    assert.equal(routed.calls('a') + routed.calls('b'), 3)
    const { routeDecisions } = await scene.gateway.control.gql<{ routeDecisions: { edges: unknown[] } }>(
      'query ($alias: ID!) { routeDecisions(filter: { alias: $alias }) { edges { node { id } } } }',
      { alias: routed.aliasId },
    )
    assert.equal(routeDecisions.edges.length, 3)
  })
})
