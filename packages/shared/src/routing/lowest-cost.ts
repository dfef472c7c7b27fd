import { lowest, type RoutableRoute, type RoutingView, type Strategy } from './strategy.ts'

/** The cheapest for this request; among equals by weight, and those without a known price last. */
export const lowestCost: Strategy = {
  score: costOf,
  choose: (tier, view) => lowest(tier, view, costOf),
}

function costOf<R extends RoutableRoute>(route: R, view: RoutingView<R>): number | null {
  return view.costOf(route)
}
