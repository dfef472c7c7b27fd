import { AggregatorRegistry } from 'prom-client'

import type { MetricsJson } from './metrics.ts'

/** What has counted up may not go back: to Prometheus that would be a restart, and all of it would count once more. */
const COUNTING = new Set(['counter', 'histogram'])

/** The text of the metrics of several processes as one. */
export function mergeMetrics(all: readonly MetricsJson[]): Promise<string> {
  return merged(all).metrics()
}

/** What is to be kept of processes that have ended. */
export function countersOf(ended: readonly MetricsJson[]): Promise<MetricsJson> {
  return merged(ended.map((one) => one.filter(({ type }) => COUNTING.has(String(type))))).getMetricsAsJSON()
}

function merged(all: readonly MetricsJson[]) {
  return AggregatorRegistry.aggregate([...all])
}
