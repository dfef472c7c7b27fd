import { Counter, Gauge, type Registry } from 'prom-client'

import type { RecordQueue } from '../records/queue.ts'

/** Adds what becomes of a process's records. */
export function addRecordMetrics(registry: Registry, records: RecordQueue): void {
  registry.registerMetric(
    new Gauge({
      name: 'millrace_records_queued',
      help: 'Records that wait to be stored, in memory or on disk.',
      registers: [],
      aggregator: 'sum',
      collect() {
        this.set(records.length)
      },
    }),
  )
  registry.registerMetric(
    new Gauge({
      name: 'millrace_records_spooled',
      help: 'Those of them that wait on disk alone.',
      registers: [],
      aggregator: 'sum',
      collect() {
        this.set(records.length - records.inMemory)
      },
    }),
  )
  registry.registerMetric(
    new Counter({
      name: 'millrace_records_dropped_total',
      help: 'Records that will never be stored.',
      registers: [],
      collect() {
        this.reset()
        this.inc(records.dropped)
      },
    }),
  )
}
