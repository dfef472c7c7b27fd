import { leastBusy } from './least-busy.ts'
import { leastLatency } from './least-latency.ts'
import { lowestCost } from './lowest-cost.ts'
import type { RoutingStrategy } from './names.ts'
import { random } from './random.ts'
import { roundRobin } from './round-robin.ts'
import type { Strategy } from './strategy.ts'
import { weighted } from './weighted.ts'

export const STRATEGIES: Readonly<Record<RoutingStrategy, Strategy>> = {
  WEIGHTED: weighted,
  ROUND_ROBIN: roundRobin,
  RANDOM: random,
  LEAST_LATENCY: leastLatency,
  LEAST_BUSY: leastBusy,
  LOWEST_COST: lowestCost,
}
