import type { SnapshotUsed } from '@millrace/shared'

import { Bucket } from './rates.ts'
import type { LimitedSubject, SpentSum } from './store.ts'
import { windowEndOf } from './sums.ts'

/** A window is kept for so long after its end: requests that began in it may end later. */
const AFTERWARDS_MS = 3_600_000
/** Sums without an end are kept for so long after their last use: control knows them, too. */
const FORGOTTEN_MS = 40 * 86_400_000

/** A quota, or one window of a budget. Picodollars, or requests. */
export class Sum implements SpentSum {
  spent = 0n
  /** What claims hold that are not settled. */
  reserved = 0n
  /** What it was last raised to. */
  known: SnapshotUsed | null = null
  readonly subjectId: string
  readonly window: string
  /** Milliseconds since the epoch. */
  readonly endsAt: number

  constructor(subjectId: string, window: string) {
    this.subjectId = subjectId
    this.window = window
    this.endsAt = windowEndOf(window)
  }
}

/** What is counted of one token or project. */
export class Account {
  readonly id: string
  requests: Bucket | null = null
  tokens: Bucket | null = null
  /** Claims that are not settled. */
  active = 0
  sums: Sum[] = []
  #usedAt: number

  constructor(id: string, now: number) {
    this.id = id
    this.#usedAt = now
  }

  /** Takes the limits as they are now. */
  update({ requestsPerMinute, tokensPerMinute }: LimitedSubject, now: number): void {
    this.#usedAt = now
    this.requests = updated(this.requests, requestsPerMinute, now)
    this.tokens = updated(this.tokens, tokensPerMinute, now)
  }

  sum(window: string): Sum {
    for (const sum of this.sums) if (sum.window === window) return sum
    const sum = new Sum(this.id, window)
    this.sums.push(sum)
    return sum
  }

  /** Whether nothing would be lost with it. Sums that nobody needs any more go at once. */
  isIdle(now: number): boolean {
    if (this.active > 0) return false
    const forgotten = now - this.#usedAt > FORGOTTEN_MS
    const alive = Date.now() - AFTERWARDS_MS
    if (this.sums.length > 0)
      this.sums = this.sums.filter(({ endsAt }) => endsAt > alive && !(forgotten && endsAt === Infinity))
    return this.sums.length === 0 && isFull(this.requests, now) && isFull(this.tokens, now)
  }
}

function updated(bucket: Bucket | null, limit: number | null, now: number): Bucket | null {
  if (limit === null) return null
  if (bucket === null) return new Bucket(limit, now)
  bucket.refill(limit, now)
  return bucket
}

function isFull(bucket: Bucket | null, now: number): boolean {
  bucket?.refill(bucket.limit, now)
  return bucket?.full ?? true
}
