/** Efforts in tokens, and back: some APIs know the one and some the other. */
import type { Effort } from './request.ts'

/** Anthropic's least. */
export const LEAST_BUDGET = 1_024

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
