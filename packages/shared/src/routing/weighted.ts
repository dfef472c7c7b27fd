import { drawByWeight, type Strategy } from './strategy.ts'

/** Each route gets its share by weight. */
export const weighted: Strategy = {
  score: ({ weight }) => weight,
  choose: (tier, view) => drawByWeight(tier, view.draw()),
}
