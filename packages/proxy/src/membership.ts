/** How a process belongs to its proxy: it is all of it, or a worker among several. */
import type { Server } from 'node:http'

import type { ProxyIdentity, ProxyReport } from '@millrace/shared'

import type { ControlClient } from './control/client.ts'
import type { HintBus } from './health/breaker-hints.ts'
import type { PlaceSource } from './health/places.ts'
import type { LocalLimits } from './limits/store.ts'
import type { MetricsJson } from './metrics/metrics.ts'
import type { ProxyReadiness, Readiness } from './readiness.ts'
import type { RecordQueue } from './records/queue.ts'
import type { LocalBindings } from './sticky/store.ts'

/** What a process can say of itself. */
export interface Member {
  readonly control: ControlClient
  readonly records: RecordQueue
  report(): Omit<ProxyReport, keyof ProxyIdentity>
  readiness(): Readiness
  metrics(): Promise<MetricsJson>
  /** The same as text. */
  metricsText(): Promise<string>
}

export interface Membership {
  /** The proxy's. */
  readonly identity: ProxyIdentity
  /** Processes that the proxy has. */
  readonly workers: number
  /** Where limits are counted, and bindings kept, while there is no Redis. */
  readonly limits: LocalLimits
  readonly bindings: LocalBindings
  /** Null: all places of the providers are this process's. */
  readonly places: PlaceSource | null
  /** To the proxy's other processes. */
  readonly hints: HintBus | null
  /** Whether this process keeps the snapshot on disk. */
  readonly writesSnapshot: boolean
  /**
   * Begins to let connections in.
   * @returns the address at which they come
   * @throws SettingsError if that can't be listened at
   */
  open(server: Server): Promise<string>
  /** From now on the proxy may ask this process. */
  join(member: Member): void
  /** There is something to be reported at once. */
  report(): void
  /** How the proxy stands. */
  readiness(): Promise<ProxyReadiness>
  /** The proxy's, as Prometheus reads them. @throws Error if its other processes do not answer */
  metrics(): Promise<string>
  /**
   * This process takes nothing new. Resolves when it may end: no sooner than the proxy's others, so that clients meet one proxy.
   * @param until what was under way is over
   */
  drain(until: Promise<void>): Promise<void>
  /** Nothing is reported any more. */
  leave(): void
  /** All that was said to the proxy's other processes is on its way. Called at the end. */
  close(): Promise<void>
}
