import type { Strategy } from './strategy.ts'

/** One after another, whatever they weigh. */
export const roundRobin: Strategy = {
  score: () => null,
  choose: (tier, view) => tier[view.turn() % tier.length]!,
}
