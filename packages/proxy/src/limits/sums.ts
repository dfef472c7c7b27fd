/** Quotas and budgets alike: sums that a claim reserves something of, and that settling it adds to. */
import { PICODOLLARS, toPicodollars, windowEnd, windowOf, type BudgetPeriod, type SnapshotUsed } from '@millrace/shared'

import { QUOTA, type Claim, type LimitedSubject, type Used } from './store.ts'

/** What a claim reserves of one sum. */
export interface Reservation {
  readonly subject: LimitedSubject
  readonly limit: 'quota' | 'budget'
  readonly window: string
  /** Picodollars, or requests. */
  readonly amount: bigint
  readonly most: bigint
}

/** Of the token before its project's, the quota before the budget. */
export function reservationsOf({ subjects, at, cost }: Claim): readonly Reservation[] {
  const reservations: Reservation[] = []
  for (const subject of subjects) {
    const { maxRequests, budget } = subject
    if (maxRequests !== null)
      reservations.push({ subject, limit: 'quota', window: QUOTA, amount: 1n, most: BigInt(maxRequests) })
    if (budget !== null) {
      const window = windowAt(budget.period, at)
      reservations.push({ subject, limit: 'budget', window, amount: cost, most: budget.limit })
    }
  }
  return reservations
}

/** Whether a claim reserves anything that must outlive its process. */
export function reserves({ subjects }: Claim): boolean {
  for (const { maxRequests, budget } of subjects) if (maxRequests !== null || budget !== null) return true
  return false
}

/** What a settled claim has used of a sum. */
export function spentOf(limit: Reservation['limit'], { cost, counted }: Used): bigint {
  if (limit === 'budget') return cost
  return counted ? 1n : 0n
}

/** What control knows to be spent of a sum; 0n where it says nothing of that window. */
export function knownSpent(used: SnapshotUsed | null, window: string): bigint {
  if (used === null) return 0n
  if (window === QUOTA) return BigInt(used.requests)
  return used.window === window ? toPicodollars(used.spentUsd) : 0n
}

/** Whether a sum has no room for an amount. What costs nothing, as far as is known, has room until all is spent. */
export function isOver(
  spent: bigint,
  reserved: bigint,
  { amount, most }: Pick<Reservation, 'amount' | 'most'>,
): boolean {
  if (amount === 0n) return most > 0n && spent >= most
  return spent + reserved + amount > most
}

/** Milliseconds until there may be room again in a sum that has none; null: never. */
export function retryAfter({ subject, limit, amount, most }: Reservation, at: number): number | null {
  if (limit === 'quota' || amount > most) return null
  const end = windowEnd(subject.budget!.period, at)
  return end === null ? null : Math.max(1, end - Date.now())
}

/** When nothing belongs to a window any more, in milliseconds since the epoch; Infinity: never. */
export function windowEndOf(window: string): number {
  if (window === QUOTA || window === 'total') return Infinity
  const period = window.length === 10 ? 'DAY' : 'MONTH'
  return windowEnd(period, Date.parse(window)) ?? Infinity
}

/** An amount as two whole numbers that a double holds: dollars, and the picodollars beyond them. */
export function split(amount: bigint): [whole: string, rest: string] {
  return [String(amount / PICODOLLARS), String(amount % PICODOLLARS)]
}

export function joined(whole: number | string, rest: number | string): bigint {
  return BigInt(whole) * PICODOLLARS + BigInt(rest)
}

const HOUR_MS = 3_600_000
const known = { DAY: { hour: -1, window: '' }, MONTH: { hour: -1, window: '' } }

/** As {@link windowOf}, which takes longer: windows begin with hours. */
function windowAt(period: BudgetPeriod, at: number): string {
  if (period === 'TOTAL') return 'total'
  const last = known[period]
  const hour = Math.floor(at / HOUR_MS)
  if (last.hour !== hour) {
    last.hour = hour
    last.window = windowOf(period, at)
  }
  return last.window
}
