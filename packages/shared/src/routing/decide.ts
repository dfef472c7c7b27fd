/**
 * The routing decision as a pure function: the same input gives the same answer in the proxy, which acts on it,
 * and in the control plane, which explains it. Must never know HTTP, snapshots' transport, clocks or providers.
 */
import type { Predicate, RequestFacts } from './facts.ts'
import type { Exclusion, RoutingStrategy } from './names.ts'
import { STRATEGIES } from './strategies.ts'
import type { RoutableRoute, RoutingView } from './strategy.ts'

export interface DecidableRoute extends RoutableRoute {
  /** False where the route or its provider is switched off, or can't be served by this version. */
  readonly enabled: boolean
  /** Null: every request. */
  readonly condition: Predicate | null
}

export interface DecisionView<R> extends RoutingView<R> {
  /** What keeps requests from this route now, apart from its switch and its condition. */
  exclusionOf(route: R): Exclusion | null
  /**
   * How bad a route is whose exclusion is BREAKER_OPEN, to be compared with others; null: it must not be tried at all
   * (an operator has forced it open).
   */
  badnessOf(route: R): number | null
}

/** What was decided for one request, before anything was tried. */
export interface Decision<R> {
  /** The alias's routes. */
  readonly routes: readonly R[]
  /** What kept each of them from being a candidate, in their order. */
  readonly excluded: readonly (Exclusion | null)[]
  /** The candidates of the best priority that has any. */
  readonly tier: readonly R[]
  /** The first to be tried; null if there is none. */
  readonly chosen: R | null
}

const NONE: readonly never[] = []

/**
 * Chooses a route: of the candidates, those of the lowest priority number, and among these by the strategy. If breakers
 * shut all of them out, those tried before too, the least bad is chosen all the same.
 * @param strategy null where there is nothing to choose between
 * @param tried routes that are not to be chosen again
 */
export function decide<R extends DecidableRoute>(
  routes: readonly R[],
  strategy: RoutingStrategy | null,
  facts: RequestFacts,
  view: DecisionView<R>,
  tried: readonly R[] = NONE,
): Decision<R> {
  const excluded: (Exclusion | null)[] = []
  let tier: R[] = []
  for (const route of routes) {
    const exclusion = exclusionOf(route, facts, view)
    excluded.push(exclusion)
    if (exclusion !== null || tried.includes(route)) continue
    if (tier.length > 0 && route.priority > tier[0]!.priority) continue
    if (tier.length > 0 && route.priority < tier[0]!.priority) tier = []
    tier.push(route)
  }
  if (tier.length === 0 && !excluded.includes(null) && !excluded.includes('AT_CONCURRENCY_LIMIT')) {
    const chosen = leastBad(routes, excluded, view, tried)
    return { routes, excluded, tier: chosen === null ? NONE : [chosen], chosen }
  }
  return { routes, excluded, tier, chosen: choose(tier, strategy, view) }
}

/** One of a tier, by the strategy; one without weight only where none has any. */
export function choose<R extends RoutableRoute>(
  tier: readonly R[],
  strategy: RoutingStrategy | null,
  view: RoutingView<R>,
): R | null {
  if (tier.length < 2) return tier[0] ?? null
  const among = tier.some(isWeightless) ? weighing(tier) : tier
  return among.length < 2 ? among[0]! : STRATEGIES[strategy ?? 'WEIGHTED'].choose(among, view)
}

function weighing<R extends RoutableRoute>(tier: readonly R[]): readonly R[] {
  const some = tier.filter(({ weight }) => weight > 0)
  return some.length > 0 ? some : tier
}

function isWeightless({ weight }: RoutableRoute): boolean {
  return weight === 0
}

/** What the strategy compares the routes by, in their order; null for those that it does not compare. */
export function scores<R extends DecidableRoute>(
  { routes, excluded }: Decision<R>,
  strategy: RoutingStrategy | null,
  view: RoutingView<R>,
): (number | null)[] {
  const by = STRATEGIES[strategy ?? 'WEIGHTED']
  return routes.map((route, i) => (excluded[i] === null ? by.score(route, view) : null))
}

function exclusionOf<R extends DecidableRoute>(route: R, facts: RequestFacts, view: DecisionView<R>): Exclusion | null {
  if (!route.enabled) return 'DISABLED'
  if (route.condition !== null && !route.condition(facts)) return 'CONDITION_NOT_MET'
  return view.exclusionOf(route)
}

function leastBad<R extends DecidableRoute>(
  routes: readonly R[],
  excluded: readonly (Exclusion | null)[],
  view: DecisionView<R>,
  tried: readonly R[],
): R | null {
  let best: R | null = null
  let least = Infinity
  for (let i = 0; i < routes.length; i++) {
    const route = routes[i]!
    if (excluded[i] !== 'BREAKER_OPEN' || tried.includes(route)) continue
    const badness = view.badnessOf(route)
    if (badness === null || badness >= least) continue
    best = route
    least = badness
  }
  return best
}
