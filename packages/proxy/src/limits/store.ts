/**
 * What limits are counted in, and what a request asks of it. Implementations: memory.ts for one process, redis.ts for many,
 * and the workers' primary. All that goes in and out is plain data, so that it may go from process to process (as a
 * structured clone: amounts are BigInt). Must never know HTTP, routes or who shows what it says.
 */
import type { BudgetPeriod, SnapshotUsed } from '@millrace/shared'

/** A token or a project that has a limit of any kind. Null: no limit of that kind. */
export interface LimitedSubject {
  readonly kind: 'token' | 'project'
  readonly id: string
  readonly requestsPerMinute: number | null
  readonly tokensPerMinute: number | null
  readonly maxConcurrent: number | null
  /** Of all time. Tokens only. */
  readonly maxRequests: number | null
  readonly budget: SubjectBudget | null
  /** What control knew to be used when it sent this: at least so much. */
  readonly used: SnapshotUsed | null
}

export interface SubjectBudget {
  /** Picodollars. */
  readonly limit: bigint
  readonly period: BudgetPeriod
}

/** What one request asks for: of all its subjects at once, or nothing of any. */
export interface Claim {
  /** The request's: its record's id. */
  readonly id: string
  /** When it began, in milliseconds since the epoch: says which window of a budget it belongs to. */
  readonly at: number
  /** Those that limit anything: the token before its project. */
  readonly subjects: readonly LimitedSubject[]
  /** Estimated, of input and output together. */
  readonly tokens: number
  /** Estimated, in picodollars. 0n where no price is known. */
  readonly cost: bigint
  /** What its record says if this process ends before it does. */
  readonly about: ClaimedRequest
}

export interface ClaimedRequest {
  readonly requestId: string
  readonly tokenId: string
  readonly projectId: string
  readonly endpoint: string
  readonly model: string
  readonly aliasId: string | null
  readonly stream: boolean
  /** Estimated; 0 where nothing that limits the request asks for it. */
  readonly inputTokens: number
  readonly outputTokens: number
  readonly configRevision: number
  readonly proxyId: string
}

/** How a request that was admitted has ended. */
export interface Used {
  /** Of input and output together. */
  readonly tokens: number
  /** Picodollars. */
  readonly cost: bigint
  /** Whether anything was sent to a provider: false gives its place in the quota and in the rate of requests back. */
  readonly counted: boolean
}

export type LimitName = 'requests' | 'tokens' | 'concurrency' | 'quota' | 'budget'

/** A rate as the headers tell it: of the subjects that have one, the one with the least left. */
export interface RateStanding {
  readonly limit: number
  /** Whole ones, never below 0. */
  readonly remaining: number
  /** Milliseconds until all of it is there again. */
  readonly resetMs: number
}

export interface Admission {
  /** Null: admitted, and to be settled once. */
  readonly refusal: Refusal | null
  /** Null where no subject has such a limit. After a refusal: as it stood. */
  readonly requests: RateStanding | null
  readonly tokens: RateStanding | null
}

/** Of the limits that stand in the way, the one that does so for longest. */
export interface Refusal {
  readonly limit: LimitName
  readonly kind: LimitedSubject['kind']
  /** Milliseconds until the same might be admitted; null: never, or nobody knows. */
  readonly retryAfterMs: number | null
}

/** At least so much of a sum is spent: as control says by its records, or as Redis said last. */
export interface SpentSum {
  readonly subjectId: string
  /** A budget's window, or {@link QUOTA}. */
  readonly window: string
  /** Picodollars, or requests. */
  readonly spent: bigint
}

/** Stands where a budget has its window. */
export const QUOTA = 'requests'

/** At most so much of a rate is left. */
export interface RateLevel {
  readonly subjectId: string
  readonly rate: 'requests' | 'tokens'
  readonly limit: number
  readonly level: number
}

export interface LimitStore {
  /**
   * Takes what is claimed of all subjects, or nothing of any.
   * @throws Error if it can't be told whether that was done; memory never does
   */
  admit(claim: Claim): Admission | Promise<Admission>
  /**
   * Gives back what was not used of a claim that was admitted or may have been, once however often it is told. A claim that
   * is not known here was refused, or has been settled: nothing is done. While its admission is awaited it is told after it,
   * on the same way, and so comes after it. Never fails: what can't be told now is told later.
   */
  settle(claim: Claim, used: Used): void
  /** Raises sums that are below what control has stored. Never fails. */
  raise(sums: readonly SpentSum[]): void
}

/** Where limits are counted while there is no Redis: in this process, or in the workers' primary. */
export interface LocalLimits extends LimitStore {
  /**
   * Redis has gone: it goes on here from what it said last.
   * @param open claims that Redis has admitted and that are being served: they hold their places, are settled here too,
   * and, should this process end, are not lost here but there
   */
  assume(open: readonly Claim[], sums: readonly SpentSum[], rates: readonly RateLevel[]): void
}
