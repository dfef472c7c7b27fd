import type { RoutableRoute, RoutingView, Strategy } from './strategy.ts'

/** The share of requests that go to any route, however slow it was: one that has recovered must be found again. */
const EXPLORATION = 0.05

/**
 * Of two routes at random the one that promises the sooner first token: its lately measured time, times the requests that
 * wait for it already. Two, because all proxies sending to the one best would make it the worst (Mitzenmacher, "The Power
 * of Two Choices in Randomized Load Balancing", 2001; peak-EWMA as in Finagle). A route that is not known yet goes
 * before one that is, until it has been asked.
 */
export const leastLatency: Strategy = {
  score: expected,
  choose(tier, view) {
    const i = Math.floor(view.random() * tier.length)
    const one = tier[i]!
    if (view.random() < EXPLORATION) return one
    const other = tier[(i + 1 + Math.floor(view.random() * (tier.length - 1))) % tier.length]!
    const [a, b] = [valueOf(one, view), valueOf(other, view)]
    if (a === b) return view.random() < 0.5 ? one : other
    return a < b ? one : other
  },
}

function expected<R extends RoutableRoute>(route: R, view: RoutingView<R>): number | null {
  const latency = view.latencyOf(route)
  return latency === null ? null : latency * (view.inFlightOf(route) + 1)
}

function valueOf<R extends RoutableRoute>(route: R, view: RoutingView<R>): number {
  return expected(route, view) ?? (view.inFlightOf(route) === 0 ? 0 : Number.MAX_VALUE)
}
