import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { choose, decide, scores, type DecidableRoute, type DecisionView } from './decide.ts'
import type { RequestFacts } from './facts.ts'
import { ROUTING_STRATEGIES, type Exclusion } from './names.ts'

interface Route extends DecidableRoute {
  readonly name: string
  readonly exclusion: Exclusion | null
  readonly badness: number | null
}

const route = (name: string, over: Partial<Route> = {}): Route => ({
  name,
  priority: 0,
  weight: 1,
  enabled: true,
  condition: null,
  exclusion: null,
  badness: 0,
  ...over,
})
const open = (name: string, badness: number | null, over: Partial<Route> = {}): Route =>
  route(name, { exclusion: 'BREAKER_OPEN', badness, ...over })

const FACTS: RequestFacts = {
  endpoint: '/v1/chat/completions',
  stream: true,
  model: 'demo',
  tokenId: null,
  tokenName: null,
  projectId: null,
  projectName: null,
  user: null,
  conversation: null,
  metadata: null,
  header: () => null,
  maxTokens: () => null,
  hasTools: () => false,
  hasImages: () => false,
  estimatedInputTokens: () => 0,
}

/** What is told here is not to be asked. */
const unasked = (): never => assert.fail('asked for')

const view = (over: Partial<DecisionView<Route>> = {}): DecisionView<Route> => ({
  latencyOf: () => null,
  inFlightOf: () => 0,
  costOf: () => null,
  random: () => 0,
  draw: () => 0,
  turn: () => 0,
  exclusionOf: ({ exclusion }) => exclusion,
  badnessOf: ({ badness }) => badness,
  ...over,
})

const names = (routes: readonly Route[]): string => routes.map(({ name }) => name).join(' ')
const decided = (routes: readonly Route[], tried: readonly Route[] = []): string | null =>
  decide(routes, 'WEIGHTED', FACTS, view(), tried).chosen?.name ?? null

describe('decide: priorities', () => {
  const routes = [
    route('late', { priority: 9, weight: 100 }),
    route('b', { priority: 1 }),
    route('off', { enabled: false }),
    route('a', { priority: 1 }),
    route('first', { priority: -1, weight: 0 }),
  ]

  it('go before weights, the lowest number first', () => {
    const decision = decide(routes, 'WEIGHTED', FACTS, view())
    assert.equal(decision.chosen?.name, 'first')
    assert.equal(names(decision.tier), 'first')
  })

  it('give way as routes are tried', () => {
    const tried: Route[] = []
    const order: string[] = []
    for (;;) {
      const { chosen } = decide(routes, 'WEIGHTED', FACTS, view(), tried)
      if (chosen === null) break
      tried.push(chosen)
      order.push(chosen.name)
    }
    assert.deepEqual(order, ['first', 'b', 'a', 'late'])
  })

  it('leave the strategy the whole tier, and it alone', () => {
    assert.equal(names(decide(routes, 'WEIGHTED', FACTS, view(), [routes[4]!]).tier), 'b a')
    const later = decide(routes, 'WEIGHTED', FACTS, view({ draw: () => 0.6 }), [routes[4]!])
    assert.equal(later.chosen?.name, 'a')
  })

  it('are given up for a route that can be taken', () => {
    assert.equal(decided([open('best', 0), route('worse', { priority: 5 })]), 'worse')
  })
})

describe('decide: what keeps a route out', () => {
  it('is told for each route, in their order, and of those tried too', () => {
    const routes = [
      route('off', { enabled: false, exclusion: 'BREAKER_OPEN' }),
      route('unmet', { condition: () => false, exclusion: 'BREAKER_OPEN' }),
      open('open', 0),
      route('cooling', { exclusion: 'COOLING_DOWN' }),
      route('keyless', { exclusion: 'NO_CREDENTIAL' }),
      route('other', { exclusion: 'UNSUPPORTED_ENDPOINT' }),
      route('full', { exclusion: 'AT_CONCURRENCY_LIMIT' }),
      route('free', { condition: () => true }),
      route('later', { priority: 1 }),
    ]
    const decision = decide(routes, 'WEIGHTED', FACTS, view(), [routes[7]!])
    assert.deepEqual(decision.excluded, [
      'DISABLED',
      'CONDITION_NOT_MET',
      'BREAKER_OPEN',
      'COOLING_DOWN',
      'NO_CREDENTIAL',
      'UNSUPPORTED_ENDPOINT',
      'AT_CONCURRENCY_LIMIT',
      null,
      null,
    ])
    assert.equal(decision.chosen?.name, 'later')
    assert.equal(decision.routes, routes)
  })

  it('is its condition, asked with the facts of the request', () => {
    const asked: RequestFacts[] = []
    const streams = route('streams', { condition: (facts) => (asked.push(facts), facts.stream) })
    assert.equal(decided([streams]), 'streams')
    assert.deepEqual(asked, [FACTS])
  })

  it('is not looked for where its switch or its condition says no', () => {
    const routes = [route('off', { enabled: false, condition: unasked }), route('unmet', { condition: () => false })]
    assert.equal(decide(routes, 'WEIGHTED', FACTS, view({ exclusionOf: unasked })).chosen, null)
  })

  it('leaves nothing where it holds for all', () => {
    assert.equal(decided([]), null)
    assert.equal(decided([route('off', { enabled: false })]), null)
    assert.equal(decided([route('cooling', { exclusion: 'COOLING_DOWN' })]), null)
    assert.equal(decided([route('tried')], []), 'tried')
    const only = route('tried')
    assert.equal(decided([only], [only]), null)
  })
})

describe('decide: open breakers', () => {
  it('yield the least bad, whatever its priority, if they shut all out', () => {
    const routes = [open('bad', 5), open('less', 2, { priority: 7 }), open('forced', null), open('worst', 9)]
    const decision = decide(routes, 'WEIGHTED', FACTS, view())
    assert.equal(decision.chosen?.name, 'less')
    assert.equal(names(decision.tier), 'less')
    assert.deepEqual(
      decision.excluded,
      Array.from({ length: 4 }, () => 'BREAKER_OPEN'),
    )
  })

  it('yield the next of them after the first', () => {
    const routes = [open('bad', 5), open('less', 2)]
    assert.equal(decided(routes, [routes[1]!]), 'bad')
    assert.equal(decided(routes, routes), null)
  })

  it('never yield one that an operator has forced open', () => {
    assert.equal(decided([open('forced', null)]), null)
    assert.equal(decided([open('forced', null), route('off', { enabled: false })]), null)
  })

  it('yield none while another route is only full, which is waited for', () => {
    assert.equal(decided([open('open', 0), route('full', { exclusion: 'AT_CONCURRENCY_LIMIT' })]), null)
  })

  it('yield one beside routes that cool down or have no key', () => {
    const others = [route('cooling', { exclusion: 'COOLING_DOWN' }), route('keyless', { exclusion: 'NO_CREDENTIAL' })]
    assert.equal(decided([...others, open('open', 3)]), 'open')
  })
})

describe('decide', () => {
  it('goes by the weights where there is no strategy', () => {
    const routes = [route('a', { weight: 9 }), route('b', { weight: 1 })]
    assert.equal(decide(routes, null, FACTS, view({ draw: () => 0.89 })).chosen?.name, 'a')
    assert.equal(decide(routes, null, FACTS, view({ draw: () => 0.91 })).chosen?.name, 'b')
  })

  it('asks no strategy where there is one route', () => {
    const strict = view({ random: unasked, draw: unasked, turn: unasked, latencyOf: unasked, costOf: unasked })
    for (const strategy of ROUTING_STRATEGIES) {
      assert.equal(decide([route('only')], strategy, FACTS, strict).chosen?.name, 'only')
      assert.equal(choose([], strategy, strict), null)
    }
  })

  it('leaves its input as it was', () => {
    const routes = Object.freeze(['c', 'a', 'b'].map((name) => Object.freeze(route(name))))
    const tried = Object.freeze([routes[0]!])
    for (const strategy of ROUTING_STRATEGIES) decide(routes, strategy, FACTS, view(), tried)
    assert.equal(names(routes), 'c a b')
  })

  it('gives the same answer to the same question', () => {
    const routes = ['a', 'b', 'c'].map((name) => route(name))
    for (const strategy of ROUTING_STRATEGIES) {
      assert.deepEqual(decide(routes, strategy, FACTS, view()), decide(routes, strategy, FACTS, view()))
    }
  })
})

describe('scores', () => {
  const scored = view({
    latencyOf: ({ name }) => (name === 'b' ? 40 : null),
    inFlightOf: ({ name }) => (name === 'a' ? 1 : 2),
    costOf: ({ name }) => (name === 'a' ? 1.5 : null),
  })
  const routes = [route('a', { weight: 4 }), open('x', 1), route('b', { weight: 0 }), route('late', { priority: 3 })]

  for (const [strategy, expected] of [
    ['WEIGHTED', [4, null, 0, 1]],
    ['ROUND_ROBIN', [null, null, null, null]],
    ['RANDOM', [null, null, null, null]],
    ['LEAST_LATENCY', [null, null, 120, null]],
    ['LEAST_BUSY', [0.5, null, null, 3]],
    ['LOWEST_COST', [1.5, null, null, null]],
    [null, [4, null, 0, 1]],
  ] as const) {
    it(`of ${strategy ?? 'no strategy'} are of candidates alone`, () => {
      assert.deepEqual(scores(decide(routes, strategy, FACTS, scored), strategy, scored), expected)
    })
  }
})
