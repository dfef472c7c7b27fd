/** Rates as token buckets: as many as the limit at once, refilled over a minute. */
import type { RateStanding } from './store.ts'

const MINUTE_MS = 60_000
/** What a level may lack for the noise of floating point; far less than one. */
const NOISE = 1e-6

export class Bucket {
  limit: number
  /** What is left; below 0 it is owed. */
  level: number
  #at: number

  constructor(limit: number, now: number) {
    this.limit = limit
    this.level = limit
    this.#at = now
  }

  get full(): boolean {
    return this.level >= this.limit
  }

  /** Brings it up to date. A limit that was raised gives the difference at once; what is over one that was lowered is gone. */
  refill(limit: number, now: number): void {
    if (limit > this.limit) this.level += limit - this.limit
    this.limit = limit
    this.level = Math.min(limit, this.level + (Math.max(0, now - this.#at) * limit) / MINUTE_MS)
    this.#at = now
  }

  /** Gives back; less than nothing is taken. */
  give(amount: number, now: number): void {
    this.refill(this.limit, now)
    this.level = Math.min(this.limit, this.level + amount)
  }
}

/** Milliseconds until there are so many; 0: they are there. null: there never will be. */
export function waitFor(wanted: number, limit: number, level: number): number | null {
  if (wanted > limit) return null
  return level + NOISE >= wanted ? 0 : Math.ceil(((wanted - level) * MINUTE_MS) / limit)
}

/** Of two subjects' standings, the one with less left. */
export function tighter(one: RateStanding | null, limit: number, level: number): RateStanding {
  const remaining = Math.max(0, Math.floor(level + NOISE))
  if (one !== null && one.remaining <= remaining) return one
  return { limit, remaining, resetMs: Math.max(0, Math.ceil(((limit - level) * MINUTE_MS) / limit)) }
}
