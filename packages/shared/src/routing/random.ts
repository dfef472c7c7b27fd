import type { Strategy } from './strategy.ts'

/** Any, each as likely as another, whatever they weigh. */
export const random: Strategy = {
  score: () => null,
  choose: (tier, view) => tier[Math.floor(view.random() * tier.length)]!,
}
