import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { RoutingStrategy } from './names.ts'
import { STRATEGIES } from './strategies.ts'
import type { RoutableRoute, RoutingView } from './strategy.ts'

const DECISIONS = 10_000

interface Route extends RoutableRoute {
  readonly name: string
}

const route = (name: string, weight = 1): Route => ({ name, weight, priority: 0 })

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function randomNumbers(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** As the proxy draws: steps of the golden ratio, from a start of its own. */
function spread(start: number): () => number {
  let n = 0
  return () => (start + n++ * 0.618_033_988_749_894_9) % 1
}

function view(over: Partial<RoutingView<Route>> = {}): RoutingView<Route> {
  let turns = 0
  return {
    latencyOf: () => null,
    inFlightOf: () => 0,
    costOf: () => null,
    random: randomNumbers(1),
    draw: spread(0.25),
    turn: () => turns++,
    ...over,
  }
}

/** How often each is chosen, in percent. */
function shares(
  strategy: RoutingStrategy,
  routes: readonly Route[],
  over: Partial<RoutingView<Route>> = {},
  decisions = DECISIONS,
): Record<string, number> {
  const seen = view(over)
  const counts = Object.fromEntries(routes.map(({ name }) => [name, 0]))
  for (let i = 0; i < decisions; i++) counts[STRATEGIES[strategy].choose(routes, seen).name]!++
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, (count / decisions) * 100]))
}

function near(percent: Record<string, number>, expected: Record<string, number>, within: number): void {
  for (const [name, share] of Object.entries(expected)) {
    assert.ok(Math.abs(percent[name]! - share) <= within, `${name}: ${JSON.stringify(percent)}`)
  }
}

describe('WEIGHTED', () => {
  const WEIGHTS = [route('a', 70), route('b', 25), route('c', 5), route('never', 0)]

  for (const start of [0, 0.1, 0.5, 0.999]) {
    it(`meets the weights within 2 % of them, beginning at ${start}`, () => {
      const percent = shares('WEIGHTED', WEIGHTS, { draw: spread(start) })
      for (const { name, weight } of WEIGHTS) near(percent, { [name]: weight }, weight * 0.02)
    })
  }

  it('meets them at random too', () => {
    near(shares('WEIGHTED', WEIGHTS, { draw: randomNumbers(2) }), { a: 70, b: 25, c: 5, never: 0 }, 1.5)
  })

  it('nearly meets them in a hundred decisions', () => {
    near(shares('WEIGHTED', WEIGHTS, {}, 100), { a: 70, b: 25, c: 5, never: 0 }, 2)
  })

  it('meets them for each of many aliases, which begin anywhere', () => {
    const next = randomNumbers(3)
    const total: Record<string, number> = {}
    for (let alias = 0; alias < 1_000; alias++) {
      const percent = shares('WEIGHTED', WEIGHTS, { draw: spread(next()) }, 10)
      for (const [name, share] of Object.entries(percent)) total[name] = (total[name] ?? 0) + share / 1_000
    }
    near(total, { a: 70, b: 25, c: 5, never: 0 }, 1)
  })

  it('shares evenly among routes that all weigh nothing', () => {
    near(shares('WEIGHTED', [route('a', 0), route('b', 0)]), { a: 50, b: 50 }, 1)
  })

  it('has an answer at both ends of what is drawn', () => {
    const chosen = (mark: number): string => STRATEGIES.WEIGHTED.choose(WEIGHTS, view({ draw: () => mark })).name
    assert.equal(chosen(0), 'a')
    assert.equal(chosen(1 - Number.EPSILON / 2), 'c')
    const thirds = [route('a', 0.1), route('b', 0.2), route('none', 0)]
    assert.equal(STRATEGIES.WEIGHTED.choose(thirds, view({ draw: () => 1 - Number.EPSILON / 2 })).name, 'b')
  })
})

describe('ROUND_ROBIN', () => {
  it('takes one after another, whatever they weigh', () => {
    const routes = [route('a', 90), route('b', 9), route('c', 0)]
    const seen = view()
    const order = Array.from({ length: 7 }, () => STRATEGIES.ROUND_ROBIN.choose(routes, seen).name)
    assert.deepEqual(order, ['a', 'b', 'c', 'a', 'b', 'c', 'a'])
  })
})

describe('RANDOM', () => {
  it('takes any, whatever they weigh', () => {
    const third = 100 / 3
    near(shares('RANDOM', [route('a', 90), route('b', 9), route('c', 0)]), { a: third, b: third, c: third }, 2)
  })
})

describe('LEAST_LATENCY', () => {
  const latencies = (known: Readonly<Record<string, number | null>>) => ({
    latencyOf: ({ name }: Route): number | null => known[name] ?? null,
  })

  it('takes the faster of two, and finds out about the slower now and then', () => {
    near(shares('LEAST_LATENCY', [route('fast'), route('slow')], latencies({ fast: 100, slow: 900 })), { slow: 2.5 }, 1)
  })

  it('takes the slowest of many hardly ever, and the fastest most', () => {
    const routes = ['a', 'b', 'c', 'd', 'e'].map((name) => route(name))
    const percent = shares('LEAST_LATENCY', routes, latencies({ a: 10, b: 20, c: 30, d: 40, e: 50 }))
    near(percent, { a: 39, e: 1 }, 2)
    assert.ok(percent['a']! > percent['b']! && percent['b']! > percent['c']! && percent['c']! > percent['d']!)
  })

  it('counts the requests that wait there already', () => {
    const busy = { ...latencies({ fast: 100, slow: 300 }), inFlightOf: ({ name }: Route) => (name === 'fast' ? 3 : 0) }
    near(shares('LEAST_LATENCY', [route('fast'), route('slow')], busy), { slow: 97.5 }, 1)
  })

  it('asks a route that is not known before one that is', () => {
    near(shares('LEAST_LATENCY', [route('known'), route('new')], latencies({ known: 1 })), { new: 97.5 }, 1)
  })

  it('asks one that is not known once, and waits for what it learns', () => {
    const asked = { ...latencies({ known: 1_000 }), inFlightOf: ({ name }: Route) => (name === 'new' ? 1 : 0) }
    near(shares('LEAST_LATENCY', [route('known'), route('new')], asked), { known: 97.5 }, 1)
  })

  it('shares evenly among equals', () => {
    near(shares('LEAST_LATENCY', [route('a'), route('b'), route('c')]), { a: 33.3, b: 33.3, c: 33.3 }, 2)
  })

  it('finds a route that has recovered', () => {
    const measured: Record<string, number> = { steady: 100, recovered: 10_000 }
    const routes = [route('steady'), route('recovered')]
    const seen = view({ latencyOf: ({ name }) => measured[name]! })
    let last: string[] = []
    for (let i = 0; i < 1_000; i++) {
      const { name } = STRATEGIES.LEAST_LATENCY.choose(routes, seen)
      if (name === 'recovered') measured[name] = measured[name]! * 0.5 + 20 * 0.5
      last = [...last, name].slice(-100)
    }
    assert.ok(last.filter((name) => name === 'recovered').length > 90, last.join(' '))
  })
})

describe('LEAST_BUSY', () => {
  it('keeps the requests in flight in proportion to the weights', () => {
    const routes = [route('a', 6), route('b', 3), route('c', 1), route('never', 0)]
    const inFlight: Record<string, number> = { a: 0, b: 0, c: 0, never: 0 }
    const seen = view({ inFlightOf: ({ name }) => inFlight[name]! })
    for (let i = 0; i < 1_000; i++) inFlight[STRATEGIES.LEAST_BUSY.choose(routes, seen).name]!++
    assert.deepEqual(inFlight, { a: 600, b: 300, c: 100, never: 0 })
  })

  it('goes by the weights among routes that are equally busy', () => {
    near(shares('LEAST_BUSY', [route('a', 1), route('b', 1)]), { a: 50, b: 50 }, 1)
  })

  it('takes any of routes that all weigh nothing', () => {
    near(shares('LEAST_BUSY', [route('a', 0), route('b', 0)]), { a: 50, b: 50 }, 1)
  })
})

describe('LOWEST_COST', () => {
  const costs = (known: Readonly<Record<string, number>>) => ({
    costOf: ({ name }: Route): number | null => known[name] ?? null,
  })

  it('takes the cheapest, always', () => {
    const routes = [route('dear', 90), route('cheap', 1), route('unknown', 90)]
    assert.deepEqual(shares('LOWEST_COST', routes, costs({ dear: 2, cheap: 1 })), { dear: 0, cheap: 100, unknown: 0 })
  })

  it('goes by the weights among the cheapest', () => {
    const routes = [route('a', 3), route('b', 1), route('dear', 100)]
    near(shares('LOWEST_COST', routes, costs({ a: 1, b: 1, dear: 2 })), { a: 75, b: 25, dear: 0 }, 0.5)
  })

  it('takes what is free before all else', () => {
    near(shares('LOWEST_COST', [route('paid'), route('free')], costs({ paid: 1, free: 0 })), { free: 100 }, 0)
  })

  it('goes by the weights where no price is known', () => {
    near(shares('LOWEST_COST', [route('a', 3), route('b', 1)]), { a: 75, b: 25 }, 0.5)
  })
})
