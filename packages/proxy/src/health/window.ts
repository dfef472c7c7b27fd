const BUCKETS = 10

/** Two counts over the last so many milliseconds: how many there were, and how many of them were marked. */
export class SlidingWindow {
  total = 0
  marked = 0
  readonly widthMs: number
  private readonly totals = new Int32Array(BUCKETS)
  private readonly marks = new Int32Array(BUCKETS)
  /** Of the newest bucket, since the epoch of `performance.now()`. */
  private bucket = 0

  constructor(widthMs: number) {
    this.widthMs = widthMs
  }

  /** @param now as `performance.now()` */
  add(now: number, marked: boolean): void {
    this.roll(now)
    const slot = this.bucket % BUCKETS
    this.total++
    this.totals[slot]!++
    if (!marked) return
    this.marked++
    this.marks[slot]!++
  }

  /** Forgets what is too old; before the counts are read. */
  roll(now: number): void {
    const bucket = Math.floor((now * BUCKETS) / this.widthMs)
    const steps = Math.min(bucket - this.bucket, BUCKETS)
    for (let i = 0; i < steps; i++) {
      const slot = (bucket - i) % BUCKETS
      this.total -= this.totals[slot]!
      this.marked -= this.marks[slot]!
      this.totals[slot] = 0
      this.marks[slot] = 0
    }
    if (steps > 0) this.bucket = bucket
  }

  clear(): void {
    this.total = 0
    this.marked = 0
    this.totals.fill(0)
    this.marks.fill(0)
  }
}
