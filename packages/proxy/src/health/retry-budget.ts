import { SlidingWindow } from './window.ts'

const WINDOW_MS = 10_000
/** Of a provider's requests, how many may be tried at it again. */
const SHARE = 0.2
/** So many in the window always may: a share of few requests would be none. */
const FLOOR = 10

/** Keeps retries from multiplying an outage: at most a share of the provider's recent requests. */
export class RetryBudget {
  private readonly window = new SlidingWindow(WINDOW_MS)

  /** A request comes to the provider for the first time. */
  request(now: number): void {
    this.window.add(now, false)
  }

  /** Takes one retry from the budget. @returns false if there is none left */
  take(now: number): boolean {
    this.window.roll(now)
    const { total, marked } = this.window
    const requests = total - marked
    if (marked + 1 > Math.max(FLOOR, SHARE * requests)) return false
    this.window.add(now, true)
    return true
  }
}
