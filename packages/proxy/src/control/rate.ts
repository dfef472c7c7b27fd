/** Turns a counter that only grows into a rate over the time between two looks at it. */
export class Rate {
  private count = 0
  private at = performance.now()
  private rate = 0

  /** @returns counts a second since the last look; looks closer together than half a second see the same rate */
  of(count: number): number {
    const now = performance.now()
    const elapsed = now - this.at
    if (elapsed < 500) return this.rate
    this.rate = ((count - this.count) * 1000) / elapsed
    this.count = count
    this.at = now
    return this.rate
  }
}
