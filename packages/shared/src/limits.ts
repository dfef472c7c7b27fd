/** What stands above a token's or a project's requests: rates, concurrency, quota, budget. Must never know how it is counted. */
import * as z from 'zod'

import { MONEY_DECIMALS } from './money.ts'
import { oneOf, wholeNumber } from './values.ts'

export const BUDGET_PERIODS = ['DAY', 'MONTH', 'TOTAL'] as const
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number]

/** As GraphQL's Int and PostgreSQL's `integer` hold it. */
const MOST = 2_147_483_647
/** USD; more is a slip of the finger. */
const LARGEST_BUDGET = 1_000_000_000

const count = wholeNumber(1, MOST)

/** Null: no limit. */
export const limitsPolicy = z.strictObject({
  requestsPerMinute: count.nullable(),
  /** Of input and output together. */
  tokensPerMinute: count.nullable(),
  /** Requests that are being served at once. */
  maxConcurrent: count.nullable(),
})
export type Limits = z.infer<typeof limitsPolicy>
export const NO_LIMITS: Limits = { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null }

/** How many requests a token may make in all. */
export const maxRequests = count

const AMOUNT = new RegExp(`^\\d{1,31}(\\.\\d{1,${MONEY_DECIMALS}})?$`)

export const budgetPolicy = z.strictObject({
  /** USD, a decimal. 0: nothing that costs anything. */
  limitUsd: z
    .string('must be a decimal')
    .regex(AMOUNT, `must be 0 or more, with at most ${MONEY_DECIMALS} decimals`)
    .refine((text) => Number(text) <= LARGEST_BUDGET, `must be at most ${LARGEST_BUDGET}`),
  period: oneOf(BUDGET_PERIODS),
})
export type BudgetPolicy = z.infer<typeof budgetPolicy>

/**
 * What a budget's sum is kept under: `2026-11-20`, `2026-11` or `total`, in UTC.
 * @param at milliseconds since the epoch: when the request began
 */
export function windowOf(period: BudgetPeriod, at: number): string {
  if (period === 'TOTAL') return 'total'
  return new Date(at).toISOString().slice(0, period === 'DAY' ? 10 : 7)
}

/** When the window that `at` lies in ends, in milliseconds since the epoch; null: never. */
export function windowEnd(period: BudgetPeriod, at: number): number | null {
  const date = new Date(at)
  switch (period) {
    case 'DAY':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1)
    case 'MONTH':
      return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
    case 'TOTAL':
      return null
  }
}
