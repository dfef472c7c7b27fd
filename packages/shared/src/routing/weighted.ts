import type { RoutableRoute } from './decide.ts'

/** Draws all routes without replacement, each with a chance in proportion to its weight. */
export function weightedOrder<R extends RoutableRoute>(tier: readonly R[], random: () => number): R[] {
  const left = [...tier]
  const order: R[] = []
  while (left.length > 1) order.push(...left.splice(draw(left, random), 1))
  return order.concat(left)
}

function draw(routes: readonly RoutableRoute[], random: () => number): number {
  let total = 0
  for (const { weight } of routes) total += weight
  if (total === 0) return Math.floor(random() * routes.length)
  let mark = random() * total
  for (let i = 0; i < routes.length; i++) {
    mark -= routes[i]!.weight
    if (mark < 0) return i
  }
  return routes.length - 1
}
