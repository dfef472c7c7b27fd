import type { Health } from './health.ts'
import type { ProviderHealth } from './provider-health.ts'

/** What one process tells others of its breaker for a provider. */
export interface Hint {
  /** Of the process that tells it. */
  readonly from: string
  readonly providerId: string
  /** Milliseconds from now for which it is open; 0: it has closed. */
  readonly openMs: number
}

/** A way to other processes. Hints may be lost on it. */
export interface HintBus {
  tell(hint: Hint): void
  /** @param listener is told what others say, and may be told what it said itself */
  listen(listener: (hint: Hint) => void): void
}

/** Tells other processes when a breaker changes here, and listens to them. Hints: a lost one costs little. */
export class BreakerHints {
  private readonly buses: readonly HintBus[]
  private readonly from: string

  /** @param from another one for each process */
  constructor(buses: readonly HintBus[], from: string) {
    this.buses = buses
    this.from = from
  }

  listen(health: Health): void {
    for (const bus of this.buses) {
      bus.listen(({ from, providerId, openMs }) => {
        if (from !== this.from) health.find(providerId)?.breaker.hint(openMs, performance.now())
      })
    }
  }

  tell({ id, breaker }: ProviderHealth): void {
    const openMs = breaker.openedAt === null ? 0 : Math.max(1, breaker.retryAt - performance.now())
    for (const bus of this.buses) bus.tell({ from: this.from, providerId: id, openMs })
  }
}
