/** What Prometheus may ask of one process: read off when it does, so that it costs requests nothing. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'

import type { Health } from '../health/health.ts'
import type { Gateway } from '../request/gateway.ts'
import { addRequestMetrics } from './read-requests.ts'
import { addRecordMetrics } from './records.ts'

/** As prom-client hands a registry's metrics from process to process. */
export type MetricsJson = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

export const METRICS_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** As an alert compares them: 0 lets requests through, 1 tries whether it may, 2 keeps them away. */
const BREAKER_STATE = { CLOSED: 0, FORCED_CLOSED: 0, HALF_OPEN: 1, OPEN: 2, FORCED_OPEN: 2 } as const

/** A registry of the process's own figures: CPU, memory, event loop and the like. */
export function processMetrics(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}

/** The same with what a proxy's process has to tell. */
export function proxyMetrics(gateway: Gateway, health: Health): Registry {
  const { active, records, configuration, cache } = gateway
  const registry = processMetrics()
  const gauge = (name: string, help: string, read: () => number, aggregator: 'sum' | 'min' = 'sum'): void => {
    registry.registerMetric(
      new Gauge({
        name,
        help,
        registers: [],
        aggregator,
        collect() {
          this.set(read())
        },
      }),
    )
  }
  const counter = (name: string, help: string, read: () => number): void => {
    registry.registerMetric(
      new Counter({
        name,
        help,
        registers: [],
        collect() {
          this.reset()
          this.inc(read())
        },
      }),
    )
  }
  gauge('millrace_in_flight', 'Requests that are being served.', () => active.size)
  addRecordMetrics(registry, records)
  gauge(
    'millrace_config_revision',
    'The revision of the configuration that is served by; the least of all workers.',
    () => configuration.current?.revision ?? 0,
    'min',
  )
  counter(
    'millrace_live_events_dropped_total',
    'Events of requests under way that followers will never hear.',
    () => gateway.live.dropped,
  )
  counter(
    'millrace_debug_exchanges_dropped_total',
    'Captured exchanges that will never be stored.',
    () => gateway.debug.dropped,
  )
  counter(
    'millrace_spans_dropped_total',
    'Spans of traces that the collector will never get.',
    () => gateway.tracing?.dropped ?? 0,
  )
  addRequestMetrics(registry, gateway.metrics.series)
  registry.registerMetric(
    new Gauge({
      name: 'millrace_breaker_state',
      help: 'Of a provider: 0 closed, 1 half open, 2 open; the worst of all workers.',
      labelNames: ['provider'],
      registers: [],
      aggregator: 'max',
      collect() {
        this.reset()
        const now = performance.now()
        for (const { name, breaker } of health.all()) {
          this.set({ provider: name }, BREAKER_STATE[breaker.stateAt(now)])
        }
      },
    }),
  )
  gauge('millrace_cache_entries', 'Stored answers in memory.', () => cache.report().entries)
  gauge('millrace_cache_bytes', 'Memory that they take.', () => cache.report().bytes)
  counter('millrace_cache_unreadable_total', 'Values in Redis that are no answers of ours.', () => cache.unreadable)
  counter('millrace_cache_skipped_total', 'Answers that Redis was not given, or has not taken.', () => cache.skipped)
  registry.registerMetric(
    new Counter({
      name: 'millrace_cache_total',
      help: 'Requests, by what the cache had for them, and where.',
      labelNames: ['outcome', 'tier'],
      registers: [],
      collect() {
        this.reset()
        for (const [outcome, tier, count] of cache.outcomes.all()) this.inc({ outcome, tier: tier ?? '' }, count)
      },
    }),
  )
  return registry
}
