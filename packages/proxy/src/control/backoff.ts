/** Waits that grow: from `firstMs` doubling to `mostMs`, each shortened by up to half at random so that proxies don't come in step. */
export class Backoff {
  private waitMs: number
  private readonly firstMs: number
  private readonly mostMs: number

  constructor(firstMs: number, mostMs: number) {
    this.firstMs = firstMs
    this.mostMs = mostMs
    this.waitMs = firstMs
  }

  next(): number {
    const wait = this.waitMs * (0.5 + Math.random() / 2)
    this.waitMs = Math.min(this.waitMs * 2, this.mostMs)
    return wait
  }

  reset(): void {
    this.waitMs = this.firstMs
  }
}
