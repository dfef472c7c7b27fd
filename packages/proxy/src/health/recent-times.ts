import { bucketOf, SKETCH_BUCKETS } from '@millrace/shared'

/** Times are remembered for one to two of these. */
const PERIOD_MS = 60_000

/** How long things took in the last minute or two, as a sketch (see shared/sketch.ts). */
export class RecentTimes {
  private current = new Uint32Array(SKETCH_BUCKETS)
  private before = new Uint32Array(SKETCH_BUCKETS)
  private until = 0

  /** @param now as `performance.now()` */
  add(milliseconds: number, now: number): void {
    this.roll(now)
    this.current[bucketOf(milliseconds)]!++
  }

  /** Pairs of a bucket and its count. */
  countsAt(now: number): [number, number][] {
    this.roll(now)
    const counts: [number, number][] = []
    for (let bucket = 0; bucket < SKETCH_BUCKETS; bucket++) {
      const count = this.current[bucket]! + this.before[bucket]!
      if (count > 0) counts.push([bucket, count])
    }
    return counts
  }

  private roll(now: number): void {
    if (now < this.until) return
    const before = this.before
    this.before = this.current
    this.current = before.fill(0)
    if (now >= this.until + PERIOD_MS) this.before.fill(0)
    this.until = now + PERIOD_MS
  }
}
