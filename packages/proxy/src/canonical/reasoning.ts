/** Efforts in tokens, and back: some APIs know the one and some the other. */
import type { Effort, Reasoning } from './request.ts'

/** Anthropic's least. */
const LEAST_BUDGET = 1_024

const BUDGETS: readonly (readonly [Effort, number])[] = [
  ['minimal', LEAST_BUDGET],
  ['low', 2_048],
  ['medium', 8_192],
  ['high', 16_384],
  ['xhigh', 32_768],
  ['max', 65_536],
]

/** Tokens to think with. @returns 0 of `none` */
export function budgetOf(effort: Effort): number {
  return BUDGETS.find(([name]) => name === effort)?.[1] ?? 0
}

/** The least effort that such a budget is enough for. */
export function effortOf(budget: number): Effort {
  if (budget <= 0) return 'none'
  return BUDGETS.find(([, tokens]) => budget <= tokens)?.[0] ?? 'max'
}

/** The effort that is asked for, be it by a budget. @returns null: the client doesn't say */
export function effortIn({ effort, budget }: Reasoning): Effort | null {
  return effort ?? (budget === null ? null : effortOf(budget))
}

/** Whether nothing is said of how much is to be thought: only, maybe, of what is to be seen of it. */
export function isUntold({ effort, budget, enabled }: Reasoning): boolean {
  return effort === null && budget === null && enabled === null
}

/** Whether no thinking is wanted. */
export function isOff({ effort, budget, enabled }: Reasoning): boolean {
  return enabled === false || effort === 'none' || budget === 0
}

/**
 * Tokens to think with where thoughts are part of the answer. What a client told by number may go to the last of it; of what
 * follows from an effort, a quarter is left for the answer itself.
 * @param maxTokens of the answer; null: no limit is told
 * @returns null: there is no room
 */
export function budgetWithin({ effort, budget }: Reasoning, maxTokens: number | null): number | null {
  const wanted = Math.max(budget ?? budgetOf(effort ?? 'medium'), LEAST_BUDGET)
  if (maxTokens === null) return wanted
  if (maxTokens <= LEAST_BUDGET) return null
  return Math.min(wanted, budget === null ? Math.max(LEAST_BUDGET, Math.floor(maxTokens * 0.75)) : maxTokens - 1)
}
