import type { RouteFigures } from '@millrace/shared'

import { PeakEwma } from './peak-ewma.ts'
import { wallClock } from './wall-clock.ts'

/** A route that was not asked for so long is not reported. */
const RECENT_MS = 120_000

/** What a proxy knows of a route beyond its configuration. Outlives the snapshots that name it. */
export class RouteHealth {
  inFlight = 0
  /** As `performance.now()`; a time past: not cooling down. */
  coolingUntil = 0
  /** To a stream's first content. */
  readonly streamLatency = new PeakEwma()
  /** To a whole answer. */
  readonly answerLatency = new PeakEwma()
  private usedAt = -Infinity

  latency(stream: boolean): PeakEwma {
    return stream ? this.streamLatency : this.answerLatency
  }

  begin(now: number): void {
    this.inFlight++
    this.usedAt = now
  }

  end(): void {
    this.inFlight--
  }

  /** Null where there is nothing new to say. */
  report(now: number): RouteFigures | null {
    if (this.inFlight === 0 && now - this.usedAt > RECENT_MS && now >= this.coolingUntil) return null
    return {
      coolingUntil: now < this.coolingUntil ? wallClock(this.coolingUntil, now) : null,
      streamLatencyMs: this.streamLatency.value,
      answerLatencyMs: this.answerLatency.value,
      inFlight: this.inFlight,
    }
  }
}
