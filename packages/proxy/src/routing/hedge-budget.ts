import type { HedgePolicy } from '@millrace/shared'

/** So many hedges may be saved up while none are needed. */
const MOST_SAVED = 10

/** Keeps an alias's hedges to a share of its requests. The first may always be: a share of few requests would be none. */
export class HedgeBudget {
  private saved = 1
  private readonly share: number

  constructor({ maxExtraPercent }: HedgePolicy) {
    this.share = maxExtraPercent / 100
    if (this.share === 0) this.saved = 0
  }

  /** A request has come. */
  earn(): void {
    this.saved = Math.min(MOST_SAVED, this.saved + this.share)
  }

  /** @returns whether a hedge may be made; it then has been */
  take(): boolean {
    if (this.saved < 1) return false
    this.saved--
    return true
  }
}
