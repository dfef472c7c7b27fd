/** How often a figure was how large, as Prometheus's histograms tell it. Adding to it makes nothing. */
export class Distribution {
  sum = 0
  /** The upper end of each bucket but the last, which has none; each more than the one before. */
  readonly bounds: readonly number[]
  private readonly counts: number[]

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  get isEmpty(): boolean {
    return this.counts.every(isZero)
  }

  observe(value: number): void {
    const { bounds, counts } = this
    let bucket = 0
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++
    counts[bucket]!++
    this.sum += value
  }

  /** How many were no more than each bound, and last, how many there were. */
  cumulative(): number[] {
    let sum = 0
    return this.counts.map((count) => (sum += count))
  }
}

function isZero(count: number): boolean {
  return count === 0
}

/** Seconds: an answer may take as long as its total time-out, 600 s unless set otherwise. */
export const DURATIONS = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]
export const FIRST_TOKENS = [0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30]
/** The gateway's own share is fractions of a millisecond, unless it lacks CPU. */
export const OVERHEADS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
