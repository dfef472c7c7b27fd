import type { ProviderHealthReport, SnapshotProvider } from '@millrace/shared'

import { Breaker } from './breaker.ts'
import { RecentTimes } from './recent-times.ts'
import { RetryBudget } from './retry-budget.ts'
import { wallClock } from './wall-clock.ts'

const LONGEST_ERROR = 500

type BreakerSettings = Pick<SnapshotProvider, 'id' | 'breaker' | 'forcedBreaker' | 'breakerSetAt' | 'maxConcurrency'>

/** What a proxy knows of a provider beyond its configuration. Outlives the snapshots that name it. */
export class ProviderHealth {
  inFlight = 0
  maxConcurrency = Infinity
  readonly id: string
  readonly breaker: Breaker
  readonly retries = new RetryBudget()
  readonly latency = new RecentTimes()
  readonly timeToFirstToken = new RecentTimes()
  /** Called whenever a place has become free. */
  private readonly onFree: (provider: ProviderHealth) => void
  private breakerSetAt: string | null
  private asked = false
  private lastError: { readonly text: string; readonly at: string } | null = null

  constructor(
    settings: BreakerSettings,
    onBreakerChange: (provider: ProviderHealth) => void,
    onFree: (provider: ProviderHealth) => void,
  ) {
    this.id = settings.id
    this.breaker = new Breaker(settings.breaker, () => onBreakerChange(this))
    this.onFree = onFree
    this.breakerSetAt = settings.breakerSetAt
    this.configure(settings)
  }

  configure({ breaker, forcedBreaker, breakerSetAt, maxConcurrency }: BreakerSettings): void {
    this.breaker.configure(breaker, forcedBreaker)
    if (breakerSetAt !== this.breakerSetAt) this.breaker.reset()
    this.breakerSetAt = breakerSetAt
    this.maxConcurrency = maxConcurrency ?? Infinity
  }

  get full(): boolean {
    return this.inFlight >= this.maxConcurrency
  }

  /** Takes a place; it is given back by {@link release}. */
  take(): void {
    this.inFlight++
    this.asked = true
  }

  release(): void {
    this.inFlight--
    if (!this.full) this.onFree(this)
  }

  failed(error: string): void {
    this.lastError = { text: error.slice(0, LONGEST_ERROR), at: new Date().toISOString() }
  }

  /** Null where there is nothing to say: it was never asked, and its breaker is closed. */
  report(now: number): ProviderHealthReport | null {
    const { breaker } = this
    const state = breaker.stateAt(now)
    if (!this.asked && state === 'CLOSED') return null
    const { requests, errors } = breaker.countsAt(now)
    return {
      providerId: this.id,
      state,
      windowRequests: requests,
      windowErrors: errors,
      inFlight: this.inFlight,
      latency: this.latency.countsAt(now),
      timeToFirstToken: this.timeToFirstToken.countsAt(now),
      openedAt: breaker.openedAt === null ? null : wallClock(breaker.openedAt, now),
      retryAt: breaker.openedAt === null ? null : wallClock(breaker.retryAt, now),
      lastError: this.lastError?.text ?? null,
      lastErrorAt: this.lastError?.at ?? null,
    }
  }
}
