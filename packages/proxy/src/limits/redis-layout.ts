/** Where in Redis a claim counts, and how its scripts are told. */
import { QUOTA, type Claim, type LimitedSubject } from './store.ts'
import { reservationsOf, split, type Reservation } from './sums.ts'

const PREFIX = 'millrace:limits:'
const DAY_MS = 86_400_000

/** All processes, by when they were last seen. */
export const PROCESSES = `${PREFIX}processes`

/** What one process has: claims that are not settled; what became of others; lost ones whose record may not be stored. */
export function processKey(what: 'open' | 'gone' | 'lost', process: string): string {
  return `${PREFIX}${what}:${process}`
}

export function sumKey(subjectId: string, window: string): string {
  return `${PREFIX}spent:${subjectId}:${window}`
}

/** How long a sum is kept after its last use: longer than its window. Control knows the others, too. */
export function sumTtl(window: string): string {
  if (window === QUOTA || window === 'total') return String(400 * DAY_MS)
  return String((window.length === 7 ? 40 : 2) * DAY_MS)
}

export interface RateClaim {
  readonly subject: LimitedSubject
  readonly rate: 'requests' | 'tokens'
  readonly limit: number
  readonly wanted: number
}

/** What a claim touches, in the order in which scripts take it: rates, then slots, then sums. */
export interface Layout {
  readonly rates: readonly RateClaim[]
  readonly slots: readonly LimitedSubject[]
  readonly sums: readonly Reservation[]
  readonly keys: readonly string[]
}

export function layoutOf(claim: Claim): Layout {
  const rates: RateClaim[] = []
  const slots: LimitedSubject[] = []
  const keys: string[] = []
  for (const subject of claim.subjects) {
    const { requestsPerMinute, tokensPerMinute, maxConcurrent } = subject
    if (requestsPerMinute !== null) rates.push({ subject, rate: 'requests', limit: requestsPerMinute, wanted: 1 })
    if (tokensPerMinute !== null) rates.push({ subject, rate: 'tokens', limit: tokensPerMinute, wanted: claim.tokens })
    if (maxConcurrent !== null) slots.push(subject)
  }
  const sums = reservationsOf(claim)
  for (const { subject, rate } of rates) keys.push(`${PREFIX}rate:${subject.id}:${rate}`)
  for (const { id } of slots) keys.push(slotsKey(id))
  for (const { subject, window } of sums) keys.push(sumKey(subject.id, window))
  return { rates, slots, sums, keys }
}

export function slotsKey(subjectId: string): string {
  return `${PREFIX}slots:${subjectId}`
}

/** A claim with nothing that must outlive its process has nothing to tell. */
export function openValue({ at, cost, about }: Claim, sums: readonly Reservation[]): string {
  if (sums.length === 0) return ''
  const held = sums.map(({ subject, window, amount, limit }) => [
    sumKey(subject.id, window),
    ...amountArgs(limit, amount),
    sumTtl(window),
  ])
  return JSON.stringify([at, String(cost), held, about])
}

/** An amount as whole and rest: of money dollars and picodollars, of a quota requests and nothing. */
export function amountArgs(limit: Reservation['limit'], amount: bigint): readonly [string, string] {
  return limit === 'quota' ? [String(amount), '0'] : split(amount)
}
