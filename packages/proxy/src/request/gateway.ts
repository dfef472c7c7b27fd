import type { IpRanges } from '@millrace/shared'
import type { Logger } from 'pino'

import type { FailedKeys } from '../access/failed-keys.ts'
import type { AnswerCache } from '../cache/cache.ts'
import type { HttpCache } from '../cache/http/http-cache.ts'
import type { WaitingRoom } from '../concurrency/waiting-room.ts'
import type { DebugCaptures } from '../debug/captures.ts'
import type { Limits } from '../limits/limits.ts'
import type { LiveEvents } from '../live/live-events.ts'
import type { RequestMetrics } from '../metrics/requests.ts'
import type { RecordQueue } from '../records/queue.ts'
import type { Slots } from '../slots.ts'
import type { Configuration } from '../snapshot/configuration.ts'
import type { StickyBindings } from '../sticky/bindings.ts'
import type { Tracing } from '../tracing/tracing.ts'
import type { Deadlines } from '../upstream/deadlines.ts'
import type { Exchange } from './exchange.ts'
import type { Flights } from './flights.ts'

/** What all requests of this process share. */
export interface Gateway {
  readonly proxyId: string
  readonly configuration: Configuration
  readonly records: RecordQueue
  readonly deadlines: Deadlines
  readonly waitingRoom: WaitingRoom
  readonly sticky: StickyBindings
  readonly limits: Limits
  readonly cache: AnswerCache
  /** For answers to requests that are passed on. In the other's room. */
  readonly httpCache: HttpCache
  /** The answers that are being fetched, and can be joined. */
  readonly flights: Flights
  readonly failedKeys: FailedKeys
  readonly live: LiveEvents
  readonly debug: DebugCaptures
  readonly metrics: RequestMetrics
  /** Null: nobody wants traces. */
  tracing: Tracing | null
  /** Those whose `x-forwarded-for` is believed. */
  readonly trustedProxies: IpRanges | undefined
  readonly log: Logger
  /** Bytes of a request's body, and of an unstreamed answer that is held to read its usage. */
  readonly maxBodyBytes: number
  /** The requests that are being served. */
  readonly active: Slots<Exchange>
  /** Requests since the process started. */
  served: number
  /** Set once the process is to end: new requests are refused, those in {@link active} finish. */
  draining: boolean
}
