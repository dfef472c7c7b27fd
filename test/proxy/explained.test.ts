/** What explainRoute says of a request is what the proxy then decides: by its own record, case by case. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { addCredential, createProject, createToken, setBreaker } from '../helpers/configuration.ts'
import { uniqueName } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import { DECISION_FIELDS, type StoredDecision, type StoredSticky } from '../helpers/stored-record.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'

interface Case {
  readonly model: string
  /** What keeps each route from being chosen. */
  readonly excluded: readonly (string | null)[]
  /** Which of them is taken; null: none. */
  readonly chosen: number | null
  readonly action?: StoredSticky['action']
  readonly body?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  readonly token?: { readonly id: string; readonly secret: string }
  /** Lets go of what stands in the way of other requests. */
  readonly release?: () => void
}

const scene = useScene()
const { rateLimited, refuse, serverError, unavailable } = behaviours
const good = behaviours.answer()
/** Ten times the two seconds after which a proxy reports how it does. */
const LONG_MS = 20_000

async function explain(input: object): Promise<StoredDecision> {
  const { explainRoute } = await scene.gateway.control.gql<{ explainRoute: StoredDecision }>(
    `query ($input: ExplainRouteInput!) { explainRoute(input: $input) { ${DECISION_FIELDS} } }`,
    { input },
  )
  return explainRoute
}

/** Sends so many, whatever becomes of them. */
async function ask(model: string, times = 1, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
  for (let i = 0; i < times; i++) await scene.chat(scene.body(model, more))
}

async function tokenOf(options: { ownKeys?: boolean; project?: string } = {}): Promise<{ id: string; secret: string }> {
  const { ownKeys = false, project = await createProject(scene.gateway.control) } = options
  return createToken(scene.gateway.control, { project, access: { ownKeys } })
}

/** What both must say alike. Of a binding that is made only now, its time is not known before. */
function comparable({ alias, strategy, model, candidates, sticky, selectedRoute, errorClass }: StoredDecision): object {
  const { boundAt, expiresAt: _, ...outcome } = sticky
  return {
    alias,
    strategy,
    model,
    selectedRoute,
    errorClass,
    candidates: candidates.map((one) => ({ ...one, score: one.score && Math.round(one.score * 1_000) / 1_000 })),
    sticky: { ...outcome, boundAt: outcome.hit ? boundAt : null },
  }
}

const REST = { breaker: { consecutiveFailures: 2, openSeconds: 600, maxOpenSeconds: 600 } }

const cases: Readonly<Record<string, () => Promise<Case>>> = {
  'switches and conditions': async () => {
    const routed = await scene.routed({
      off: { enabled: false },
      gold: { condition: { 'headers.x-tier': 'gold' } },
      empty: { condition: { 'headers.x-empty': { $exists: true } }, priority: 1 },
      tools: { condition: { tools: true, 'metadata.plan': 'pro', user: { $percent: [0, 100] } }, priority: 2 },
      usual: { priority: 3 },
    })
    return {
      model: routed.model,
      body: { tools: [{ type: 'function', function: { name: 'f', parameters: {} } }], user: 'ann' },
      headers: { 'x-millrace-metadata': '{"plan":"pro"}', 'x-empty': '' },
      excluded: ['DISABLED', 'CONDITION_NOT_MET', null, null, null],
      chosen: 2,
    }
  },
  'a wildcard': async () => {
    const stem = uniqueName('wild')
    await scene.gateway.addAlias(`${stem}-*`, [{ provider: scene.provider, providerModel: 'is-*' }])
    return { model: `${stem}-7b`, excluded: [null], chosen: 0 }
  },
  'NAME/MODEL': async () => {
    const name = uniqueName('direct')
    await scene.gateway.addProvider(scene.upstream.baseUrl, { name, direct: true })
    return { model: `${name}/org/model`, excluded: [null], chosen: 0 }
  },
  'NAME/MODEL, whose provider has asked for a rest': async () => {
    const name = uniqueName('direct')
    await scene.gateway.addProvider(scene.upstream.baseUrl, { name, direct: true })
    const model = uniqueName('resting')
    scene.upstream.on(model, unavailable('60'))
    await scene.gateway.untilServed()
    await ask(`${name}/${model}`)
    // What was learnt outlives the next configuration.
    await scene.gateway.addAlias(uniqueName('another'), scene.provider)
    return { model: `${name}/${model}`, excluded: ['COOLING_DOWN'], chosen: null }
  },
  "a client's own key": async () => {
    const routed = await scene.routed({
      a: { provider: { kind: 'OPENAI', apiKeys: [] } },
      b: { provider: { apiKeys: [] } },
    })
    const headers = { 'x-millrace-upstream-key': 'sk-own-0123456789', 'x-millrace-provider': routed.nameOf('a') }
    const token = await tokenOf({ ownKeys: true })
    return { model: routed.model, token, headers, excluded: [null, 'NO_CREDENTIAL'], chosen: 0 }
  },
  "a client's own key, of a token that may not bring one": async () => {
    const routed = await scene.routed({ a: { provider: { kind: 'OPENAI', apiKeys: [] } }, b: {} })
    const headers = { 'x-millrace-upstream-key': 'sk-own-0123456789', 'x-millrace-provider': routed.nameOf('a') }
    return { model: routed.model, token: await tokenOf(), headers, excluded: ['NO_CREDENTIAL', null], chosen: 1 }
  },
  'keys that do not open': async () => {
    const routed = await scene.routed({
      none: { provider: { apiKeys: ['env:NOT_SET_API_KEY', 'env:NEITHER_API_KEY'] } },
      one: { provider: { apiKeys: ['env:NOT_SET_API_KEY', 'sk-good-0123456789'] } },
    })
    return { model: routed.model, excluded: ['NO_CREDENTIAL', null], chosen: 1 }
  },
  'a key of the project that does not open, beside shared ones': async () => {
    const routed = await scene.routed({ first: {}, other: { priority: 1 } })
    const project = await createProject(scene.gateway.control)
    await addCredential(scene.gateway.control, routed.provider('first'), 'env:NOT_SET_API_KEY', project)
    return { model: routed.model, token: await tokenOf({ project }), excluded: ['NO_CREDENTIAL', null], chosen: 1 }
  },
  'a breaker that is forced open': async () => {
    const routed = await scene.routed({ first: {}, other: { priority: 1 } })
    await setBreaker(scene.gateway.control, routed.provider('first'), 'FORCED_OPEN')
    return { model: routed.model, excluded: ['BREAKER_OPEN', null], chosen: 1 }
  },
  'a breaker that is forced closed': async () => {
    const routed = await scene.routed({ first: { behaviour: serverError(), provider: REST }, other: { priority: 1 } })
    await ask(routed.model, 4)
    routed.behaves('first', good)
    await setBreaker(scene.gateway.control, routed.provider('first'), 'FORCED_CLOSED')
    return { model: routed.model, excluded: [null, null], chosen: 0 }
  },
  'a breaker that has opened': async () => {
    const routed = await scene.routed({ first: { behaviour: serverError(), provider: REST }, other: { priority: 1 } })
    await ask(routed.model, 4)
    return { model: routed.model, excluded: ['BREAKER_OPEN', null], chosen: 1 }
  },
  'all breakers open: the least bad': async () => {
    const routed = await scene.routed(
      { first: { behaviour: serverError(), provider: REST }, forced: {} },
      { retry: { maxAttempts: 2 } },
    )
    await setBreaker(scene.gateway.control, routed.provider('forced'), 'FORCED_OPEN')
    await scene.gateway.untilServed()
    await ask(routed.model, 2)
    routed.behaves('first', good)
    return { model: routed.model, excluded: ['BREAKER_OPEN', 'BREAKER_OPEN'], chosen: 0 }
  },
  'keys that cool down': async () => {
    const routed = await scene.routed({ first: { behaviour: rateLimited('60') }, other: { priority: 1 } })
    await ask(routed.model)
    return { model: routed.model, excluded: ['COOLING_DOWN', null], chosen: 1 }
  },
  'a route that cools down': async () => {
    const routed = await scene.routed({ first: { behaviour: unavailable('60') }, other: { priority: 1 } })
    await ask(routed.model)
    return { model: routed.model, excluded: ['COOLING_DOWN', null], chosen: 1 }
  },
  'a provider that is full': async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const behaviour = behaviours.onceReleased(promise, good)
    const routed = await scene.routed({
      first: { behaviour, provider: { maxConcurrency: 1 } },
      other: { priority: 1 },
    })
    void ask(routed.model)
    await waitFor(() => routed.calls('first') === 1)
    return { model: routed.model, excluded: ['AT_CONCURRENCY_LIMIT', null], chosen: 1, release: resolve }
  },
  'a request to be bound': async () => {
    const { model } = await scene.routed({ a: {}, b: { weight: 0 } }, { sticky: { scope: 'USER' } })
    return { model, body: { user: 'ann' }, excluded: [null, null], chosen: 0, action: 'BIND' }
  },
  'one that is bound, against the weights': async () => {
    const routed = await scene.routed({ a: {}, b: { weight: 0 } }, { sticky: { scope: 'USER' } })
    await setBreaker(scene.gateway.control, routed.provider('a'), 'FORCED_OPEN')
    await scene.gateway.untilServed()
    await ask(routed.model, 1, { user: 'ann' })
    await setBreaker(scene.gateway.control, routed.provider('a'), 'CLOSED')
    return { model: routed.model, body: { user: 'ann' }, excluded: [null, null], chosen: 1, action: 'HIT' }
  },
  'one whose bound route is gone': async () => {
    const routed = await scene.routed({ a: {}, b: { weight: 0 } }, { sticky: { scope: 'CONVERSATION' } })
    const headers = { 'x-millrace-sticky': 'token', 'x-millrace-user': 'ann' }
    const token = await tokenOf()
    await scene.gateway.untilServed()
    await scene.chat(scene.body(routed.model), { ...headers, authorization: `Bearer ${token.secret}` })
    await setBreaker(scene.gateway.control, routed.provider('a'), 'FORCED_OPEN')
    const excluded = ['BREAKER_OPEN', null]
    return { model: routed.model, token, headers, excluded, chosen: 1, action: 'REBIND_UNAVAILABLE' }
  },
  'the least cost': async () => {
    const routed = await scene.routed(
      { dear: { inputPrice: '3', outputPrice: '9' }, cheap: { inputPrice: '0.3', outputPrice: '0.9' }, unknown: {} },
      { strategy: 'LOWEST_COST' },
    )
    return { model: routed.model, excluded: [null, null, null], chosen: 1 }
  },
  'a client error, which moves nothing': async () => {
    const routed = await scene.routed({ first: { behaviour: refuse(422) }, other: { priority: 1 } })
    await ask(routed.model, 3)
    return { model: routed.model, excluded: [null, null], chosen: 0 }
  },
}

describe('explained and done:', { concurrency: 4 }, () => {
  for (const [name, make] of Object.entries(cases)) {
    test(name, async () => {
      const { model, body, headers = {}, excluded, chosen, action = 'NONE', release, ...rest } = await make()
      await scene.gateway.untilServed()
      const token = rest.token ?? { id: await defaultToken(), secret: scene.gateway.token }
      const sent = scene.body(model, body)
      const explained = await waitFor(
        async () => {
          const decision = await explain({ model, token: token.id, body: sent, headers })
          const places = decision.candidates.flatMap(({ selected }, i) => (selected ? i : []))
          assert.deepEqual(
            [decision.candidates.map((one) => one.excluded), places, decision.sticky.action],
            [excluded, chosen === null ? [] : [chosen], action],
          )
          return decision
        },
        { what: 'the explanation to know what the proxy knows', timeoutMs: LONG_MS, intervalMs: 100 },
      )
      const id = uniqueName('explained')
      const authorization = `Bearer ${token.secret}`
      await scene.chat(sent, { 'x-request-id': id, authorization, ...headers })
      const { decision } = await scene.gateway.record(id)
      // An explanation does not foretell what becomes of the answer.
      const done = { ...decision!, errorClass: null }
      assert.deepEqual(comparable(explained), comparable(done))
      release?.()
    })
  }

  for (const [name, refuseSender, code] of [
    ['a revoked token', revoke, 'token_revoked'],
    ['a project that is not active', deactivate, 'project_inactive'],
  ] as const) {
    test(`refused before it is routed: ${name}`, async () => {
      const project = await createProject(scene.gateway.control)
      const token = await tokenOf({ project })
      await refuseSender(token.id, project)
      await scene.gateway.untilServed()
      const { errorClass, candidates } = await explain({ model: scene.alias, token: token.id })
      assert.deepEqual([errorClass, candidates.map(({ selected }) => selected)], [code, [false]])
      const id = uniqueName('refused')
      await scene.chat(scene.body(), { 'x-request-id': id, authorization: `Bearer ${token.secret}` })
      const record = await scene.gateway.record(id)
      assert.deepEqual([record.errorClass, record.decision], [code, null])
    })
  }
})

async function defaultToken(): Promise<string> {
  const { tokens } = await scene.gateway.control.gql('{ tokens(first: 500) { edges { node { id prefix } } } }')
  return tokens.edges.find(({ node }: any) => scene.gateway.token.startsWith(node.prefix)).node.id
}

function revoke(token: string): Promise<unknown> {
  return scene.gateway.control.gql('mutation ($token: ID!) { revokeToken(id: $token) { id } }', { token })
}

function deactivate(_token: string, project: string): Promise<unknown> {
  return scene.gateway.control.gql(
    'mutation ($project: ID!) { updateProject(id: $project, input: { active: false }) { id } }',
    { project },
  )
}
