/**
 * The routing decision as a pure function: the same input gives the same answer in the proxy, which acts on it,
 * and in the control plane, which explains it. Must never know HTTP, snapshots' transport, clocks or providers.
 */
import { weightedOrder } from './weighted.ts'

/** What the decision needs to know of a route; callers pass their own richer type and get it back. */
export interface RoutableRoute {
  /** Lower is tried first. */
  readonly priority: number
  /** Share within its priority, 0 or more. A weight of 0 is chosen only when nothing else is left. */
  readonly weight: number
  /** False where the route or its provider is switched off, or can't be served by this version. */
  readonly enabled: boolean
}

/**
 * The enabled routes in the order in which they are to be tried: by priority, and within one priority drawn by weight.
 * @param random a number in [0, 1), as `Math.random`
 */
export function decide<R extends RoutableRoute>(routes: readonly R[], random: () => number): R[] {
  if (routes.length === 1) return routes[0]!.enabled ? [routes[0]!] : []
  const tiers = new Map<number, R[]>()
  for (const route of routes) {
    if (!route.enabled) continue
    const tier = tiers.get(route.priority)
    if (tier) tier.push(route)
    else tiers.set(route.priority, [route])
  }
  const priorities = [...tiers.keys()].sort((a, b) => a - b)
  return priorities.flatMap((priority) => weightedOrder(tiers.get(priority)!, random))
}
