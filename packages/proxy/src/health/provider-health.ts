import type { ProviderHealthReport, SnapshotProvider } from '@millrace/shared'

import { Breaker } from './breaker.ts'
import type { PlaceShare, PlaceSource } from './places.ts'
import { RecentTimes } from './recent-times.ts'
import { RetryBudget } from './retry-budget.ts'
import { wallClock } from './wall-clock.ts'

const LONGEST_ERROR = 500

type HealthSettings = Pick<
  SnapshotProvider,
  'id' | 'name' | 'breaker' | 'forcedBreaker' | 'breakerSetAt' | 'maxConcurrency'
>

/** What a proxy knows of a provider beyond its configuration. Outlives the snapshots that name it. */
export class ProviderHealth {
  inFlight = 0
  /** Of this process, or of all that are one proxy: then its {@link places} are a share of them. */
  maxConcurrency = Infinity
  readonly id: string
  name: string
  readonly breaker: Breaker
  readonly retries = new RetryBudget()
  readonly latency = new RecentTimes()
  readonly timeToFirstToken = new RecentTimes()
  /** Called whenever a place has become free. */
  private readonly onFree: (provider: ProviderHealth) => void
  private readonly places: PlaceShare | null
  private breakerSetAt: string | null
  private asked = false
  private lastError: { readonly text: string; readonly at: string } | null = null

  /** @param source null: this process has the provider's places for itself */
  constructor(
    settings: HealthSettings,
    onBreakerChange: (provider: ProviderHealth) => void,
    onFree: (provider: ProviderHealth) => void,
    source: PlaceSource | null = null,
  ) {
    this.id = settings.id
    this.name = settings.name
    this.breaker = new Breaker(settings.breaker, () => onBreakerChange(this))
    this.onFree = onFree
    this.places =
      source &&
      source.shareOf(
        settings.id,
        () => this.inFlight,
        () => onFree(this),
      )
    this.breakerSetAt = settings.breakerSetAt
    this.configure(settings)
  }

  configure({ name, breaker, forcedBreaker, breakerSetAt, maxConcurrency }: HealthSettings): void {
    this.name = name
    this.breaker.configure(breaker, forcedBreaker)
    if (breakerSetAt !== this.breakerSetAt) this.breaker.reset()
    this.breakerSetAt = breakerSetAt
    this.maxConcurrency = maxConcurrency ?? Infinity
    this.places?.limit(maxConcurrency, this.inFlight)
  }

  /** Whether no request may go to it from here now; other processes may have places, see {@link lookForPlace}. */
  get full(): boolean {
    return this.inFlight >= (this.places === null ? this.maxConcurrency : this.places.held)
  }

  /** Where it is {@link full}: resolves when a place was had from another process, or there is none; null: there can be none. */
  lookForPlace(): Promise<void> | null {
    return this.places?.ask() ?? null
  }

  /** One request more, or one less, waits for a place. */
  waiting(change: 1 | -1): void {
    this.places?.waiting(change)
  }

  /** It is no more. */
  forget(): void {
    this.places?.forget()
  }

  /** Takes a place; it is given back by {@link release}. */
  take(): void {
    this.inFlight++
    this.asked = true
  }

  release(): void {
    this.inFlight--
    if (this.places?.released() === true) return
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
