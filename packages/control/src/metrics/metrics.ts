/** What Prometheus may ask of a control process. What can be read off is read when it asks. */
import type { IngestResult } from '@millrace/shared'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

import type { Connections } from '../db/database.ts'
import type { FinishedOperation } from '../graphql/finished.ts'
import type { ReadinessState } from '../readiness.ts'

/** Where the figures come from. */
export interface Measured {
  readonly feedSubscribers: () => number
  readonly feedDropped: () => number
  readonly configRevision: () => number
  readonly exportsRunning: () => number
  readonly sockets: () => Promise<number>
  readonly webSockets: () => number
  /** NaN: not known. */
  readonly usageBacklog: () => Promise<number>
  /** Null: there is but one. */
  readonly connections: () => Promise<Connections | null>
  readonly readiness: () => Promise<ReadinessState>
}

const INGEST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const OPERATION_SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10]

/** A registry, and what has to be told to it as it happens. */
export class ControlMetrics {
  readonly registry = new Registry()
  readonly #registers = [this.registry]
  readonly #ingested = this.#counter('millrace_records_ingested_total', 'Records that were stored.')
  readonly #duplicates = this.#counter(
    'millrace_records_duplicate_total',
    'Records that came again, and were left out.',
  )
  readonly #refused = this.#counter('millrace_records_refused_total', 'Records that were malformed, and are lost.')
  readonly #ingestSeconds = new Histogram({
    name: 'millrace_control_ingest_seconds',
    help: 'What it took to store a batch of records.',
    buckets: INGEST_SECONDS,
    registers: this.#registers,
  })
  readonly #operationSeconds = new Histogram({
    name: 'millrace_control_operation_seconds',
    help: 'GraphQL operations over HTTP by kind and outcome: ok, or the code of the first error.',
    labelNames: ['kind', 'outcome'],
    buckets: OPERATION_SECONDS,
    registers: this.#registers,
  })

  constructor(measured: Measured) {
    collectDefaultMetrics({ register: this.registry })
    this.#gauge('millrace_feed_subscribers', 'Subscriptions to feeds.', measured.feedSubscribers)
    this.registry.registerMetric(
      new Counter({
        name: 'millrace_feed_dropped_total',
        help: 'Events that subscribers were too slow to receive.',
        registers: [],
        collect() {
          this.reset()
          this.inc(measured.feedDropped())
        },
      }),
    )
    this.#gauge('millrace_control_config_revision', 'The newest revision that this process tells proxies.', () =>
      measured.configRevision(),
    )
    this.#gauge('millrace_control_exports', 'Exports under way.', measured.exportsRunning)
    this.#gauge('millrace_control_sockets', 'Connections of clients, WebSockets among them.', measured.sockets)
    this.#gauge('millrace_control_websockets', 'WebSockets of clients.', measured.webSockets)
    this.registry.registerMetric(
      new Gauge({
        name: 'millrace_control_database_connections',
        help: "The pool's connections to a database server, and who waits for one.",
        labelNames: ['state'],
        registers: [],
        async collect() {
          const connections = await measured.connections()
          for (const [state, count] of Object.entries(connections ?? {})) this.set({ state }, count)
        },
      }),
    )
    this.#gauge(
      'millrace_control_usage_backlog',
      'Rows of usage that are not summed up yet, up to 50000; NaN: the database does not say.',
      measured.usageBacklog,
    )
    this.#gauge('millrace_control_ready', 'Whether it can serve: 1 or 0.', async () =>
      Number((await measured.readiness()).ready),
    )
    this.#gauge(
      'millrace_control_proxies_online',
      'Proxies that report; NaN: the database does not say.',
      async () => (await measured.readiness()).proxiesOnline ?? NaN,
    )
  }

  /** A batch was taken. */
  ingested({ stored, duplicates, refused }: IngestResult, ms: number): void {
    this.#ingested.inc(stored)
    this.#duplicates.inc(duplicates)
    this.#refused.inc(refused)
    this.#ingestSeconds.observe(ms / 1_000)
  }

  operation({ kind, outcome, ms }: FinishedOperation): void {
    this.#operationSeconds.observe({ kind, outcome }, ms / 1_000)
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: this.#registers })
  }

  #gauge(name: string, help: string, read: () => number | Promise<number>): void {
    this.registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        async collect() {
          this.set(await read())
        },
      }),
    )
  }
}
