/** What the strategies have in common. One file a strategy implements it; strategies.ts registers them. */

/** What a decision needs to know of a route; callers pass their own richer type and get it back. */
export interface RoutableRoute {
  /** Lower is tried first. */
  readonly priority: number
  /** Share within its priority, 0 or more. A weight of 0 is chosen only when nothing else is left. */
  readonly weight: number
}

/** How things stand now: live in the proxy, put together from the fleet's reports in the control plane. */
export interface RoutingView<R> {
  /** Milliseconds that the route lately took to its first token (peak-EWMA); null: not known. */
  latencyOf(route: R): number | null
  /** Requests that it is serving. */
  inFlightOf(route: R): number
  /** What this request would cost there, in USD a million tokens, input and output weighed by what is expected; null: not known. */
  costOf(route: R): number | null
  /** A number in [0, 1), as `Math.random`. */
  random(): number
  /** A number in [0, 1); a sequence of them is spread evenly, so that few already meet the weights. */
  draw(): number
  /** A whole number, one more with each decision of the alias. */
  turn(): number
}

export interface Strategy {
  /** What it compares a route by, for the record; null where it compares nothing. */
  score<R extends RoutableRoute>(route: R, view: RoutingView<R>): number | null
  /** @param tier at least two routes of one priority */
  choose<R extends RoutableRoute>(tier: readonly R[], view: RoutingView<R>): R
}

/** Draws one, each with a chance in proportion to its weight. @param mark a number in [0, 1) */
export function drawByWeight<R extends RoutableRoute>(routes: readonly R[], mark: number): R {
  let total = 0
  for (const { weight } of routes) total += weight
  if (total === 0) return routes[Math.floor(mark * routes.length)]!
  let left = mark * total
  for (const route of routes) {
    left -= route.weight
    if (left < 0) return route
  }
  return routes.findLast(({ weight }) => weight > 0)!
}

/** The ones of the lowest value, by weight among equals; what has no value comes last. */
export function lowest<R extends RoutableRoute>(
  routes: readonly R[],
  view: RoutingView<R>,
  valueOf: (route: R, view: RoutingView<R>) => number | null,
): R {
  let best = Infinity
  let among: R[] = []
  for (const route of routes) {
    const value = valueOf(route, view) ?? Infinity
    if (value > best) continue
    if (value < best) {
      best = value
      among = []
    }
    among.push(route)
  }
  return among.length === 1 ? among[0]! : drawByWeight(among, view.draw())
}
