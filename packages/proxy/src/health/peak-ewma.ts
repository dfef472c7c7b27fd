/** After so long, what was measured before counts a third. */
const DECAY_MS = 10_000
/** What a measurement counts at least, however soon it follows the last. */
const LEAST_SHARE = 0.1

/**
 * A mean of recent times that believes bad news at once and good news slowly: it jumps to a time that is longer, and decays
 * towards one that is shorter (peak-EWMA, as in Finagle's load balancer).
 */
export class PeakEwma {
  /** Milliseconds; null before the first measurement. */
  value: number | null = null
  private at = 0

  /** @param now as `performance.now()` */
  observe(milliseconds: number, now: number): void {
    if (this.value === null || milliseconds >= this.value) {
      this.value = milliseconds
    } else {
      const share = Math.max(LEAST_SHARE, 1 - Math.exp((this.at - now) / DECAY_MS))
      this.value += (milliseconds - this.value) * share
    }
    this.at = now
  }

  /** It took so long at least, and was not waited for. */
  observeAtLeast(milliseconds: number, now: number): void {
    if (this.value === null || milliseconds > this.value) this.observe(milliseconds, now)
  }
}
