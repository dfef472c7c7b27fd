import type { BreakerPolicy, BreakerState } from '@millrace/shared'

import { SlidingWindow } from './window.ts'

/**
 * What an attempt says of its provider. `alive`: it answered in order, though with no success (a 4xx, a 429), which counts
 * neither way but ends a trial well. `unknown`: nothing was learnt (the client went).
 */
export type Verdict = 'success' | 'failure' | 'alive' | 'unknown'

/**
 * How an attempt came through: in the ordinary way (0), as a trial (its number), or although the breaker was open (the
 * number of that opening, negative). What is of an earlier trial or opening says no more than any other attempt.
 */
export type Passage = number
export const ORDINARY: Passage = 0

/**
 * Keeps requests from a provider that fails most of them, and lets one at a time through to see whether it has recovered.
 * Times are `performance.now()`'s.
 */
export class Breaker {
  /** When it opened; null while it is closed. */
  openedAt: number | null = null
  /** From when on a trial may be made. */
  retryAt = 0
  private policy: BreakerPolicy
  private window: SlidingWindow
  private forced: 'FORCED_OPEN' | 'FORCED_CLOSED' | null = null
  private openMs = 0
  private failuresInARow = 0
  /** The trial under way; 0: none. */
  private trial: Passage = 0
  private trials = 0
  private openings = 0
  private readonly onChange: (breaker: Breaker) => void

  /** @param onChange called whenever the state has changed by what was learnt of the provider here */
  constructor(policy: BreakerPolicy, onChange: (breaker: Breaker) => void) {
    this.policy = policy
    this.window = new SlidingWindow(policy.windowSeconds * 1000)
    this.onChange = onChange
  }

  /** Takes a new policy; what was counted stays, unless the window has another width now. */
  configure(policy: BreakerPolicy, forced: 'FORCED_OPEN' | 'FORCED_CLOSED' | null): void {
    if (policy.windowSeconds * 1000 !== this.window.widthMs)
      this.window = new SlidingWindow(policy.windowSeconds * 1000)
    this.policy = policy
    this.forced = forced
  }

  /** Begins anew: closed, and nothing counted. */
  reset(): void {
    this.openedAt = null
    this.trial = 0
    this.openMs = 0
    this.failuresInARow = 0
    this.window.clear()
  }

  stateAt(now: number): BreakerState {
    if (this.forced !== null) return this.forced
    if (this.openedAt === null) return 'CLOSED'
    return this.trial !== 0 || now >= this.retryAt ? 'HALF_OPEN' : 'OPEN'
  }

  /** Whether an attempt may be made now. */
  admits(now: number): boolean {
    if (this.forced !== null) return this.forced === 'FORCED_CLOSED'
    return this.openedAt === null || (now >= this.retryAt && this.trial === 0)
  }

  /** How bad the provider is, to be compared where all are shut out; null: it must not be tried. */
  get badness(): number | null {
    return this.forced === 'FORCED_OPEN' ? null : this.retryAt
  }

  /** An attempt begins; {@link end} must follow. */
  begin(now: number): Passage {
    if (this.forced !== null || this.openedAt === null) return ORDINARY
    if (this.trial !== 0 || now < this.retryAt) return -this.openings
    this.trial = ++this.trials
    return this.trial
  }

  /** An attempt that began while the breaker was open has had its first content: it need not be over to say enough. */
  recovered(passage: Passage): void {
    if (this.openedAt !== null && this.saysOfNow(passage)) this.close()
  }

  /** An attempt has ended. @param passage as {@link begin} said */
  end(verdict: Verdict, passage: Passage, now: number): void {
    const tried = passage !== ORDINARY && passage === this.trial
    const counts = this.openedAt === null || this.saysOfNow(passage)
    if (tried) this.trial = 0
    if (verdict === 'unknown' || !counts) return
    if (this.openedAt !== null) {
      if (verdict !== 'failure') this.close()
      else if (tried) this.open(now, Math.min(this.openMs * 2, this.policy.maxOpenSeconds * 1000))
      return
    }
    if (verdict === 'alive') return
    this.window.add(now, verdict === 'failure')
    this.failuresInARow = verdict === 'failure' ? this.failuresInARow + 1 : 0
    if (verdict === 'failure' && this.isTooMuch()) this.open(now, this.policy.openSeconds * 1000)
  }

  /**
   * Another process's breaker for this provider has changed. Believed, unless what was seen here speaks against it.
   * @param openMs for how long it is open; 0: it has closed
   */
  hint(openMs: number, now: number): void {
    if (openMs === 0 && this.openedAt !== null) this.reset()
    if (openMs === 0 || this.openedAt !== null) return
    this.window.roll(now)
    const { total, marked } = this.window
    if (total >= this.policy.minRequests && marked / total < this.policy.errorRate / 2) return
    this.openedAt = now
    this.openings++
    this.openMs = this.policy.openSeconds * 1000
    this.retryAt = now + Math.min(openMs, this.policy.maxOpenSeconds * 1000)
  }

  /** What it counts by, up to now. */
  countsAt(now: number): { readonly requests: number; readonly errors: number } {
    this.window.roll(now)
    return { requests: this.window.total, errors: this.window.marked }
  }

  /** What began before the breaker opened, or is a trial of an earlier time, says nothing of now. */
  private saysOfNow(passage: Passage): boolean {
    return passage !== ORDINARY && (passage === this.trial || passage === -this.openings)
  }

  private isTooMuch(): boolean {
    const { errorRate, minRequests, consecutiveFailures } = this.policy
    if (consecutiveFailures > 0 && this.failuresInARow >= consecutiveFailures) return true
    const { total, marked } = this.window
    return errorRate > 0 && total >= minRequests && marked >= errorRate * total
  }

  private open(now: number, openMs: number): void {
    if (this.openedAt === null) this.openings++
    this.openedAt ??= now
    this.openMs = openMs
    this.retryAt = now + openMs
    this.onChange(this)
  }

  private close(): void {
    this.reset()
    this.onChange(this)
  }
}
