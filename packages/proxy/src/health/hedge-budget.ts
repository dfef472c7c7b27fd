/** So many hedges may be saved up while none are needed. */
const MOST_SAVED = 10

/** Keeps an alias's hedges to a share of its requests. The first may always be: a share of few requests would be none. */
export class HedgeBudget {
  private saved = 1

  /** A request has come. @param percent how many in a hundred may be asked twice */
  earn(percent: number): void {
    this.saved = Math.min(MOST_SAVED, this.saved + percent / 100)
  }

  /** @returns whether a hedge may be made; it then has been */
  take(percent: number): boolean {
    if (percent === 0 || this.saved < 1) return false
    this.saved--
    return true
  }
}
