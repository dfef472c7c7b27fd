import { lowest, type RoutableRoute, type RoutingView, type Strategy } from './strategy.ts'

/** The one that would have the fewest requests in flight for its weight. */
export const leastBusy: Strategy = {
  score: busyness,
  choose: (tier, view) => lowest(tier, view, busyness),
}

function busyness<R extends RoutableRoute>(route: R, view: RoutingView<R>): number | null {
  return route.weight === 0 ? null : (view.inFlightOf(route) + 1) / route.weight
}
