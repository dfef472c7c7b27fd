/** What Prometheus is told of requests, read off what was counted of them. */
import type { Counter, Registry } from 'prom-client'

import type { Distribution } from './distribution.ts'
import type { RequestSeries } from './request-series.ts'

type Labels = Readonly<Record<string, string | number>>

interface Value {
  readonly labels: Labels
  /** Those that the values of a histogram have in common. */
  readonly sharedLabels?: Labels
  readonly value: number
  /** Another than the metric's, for parts of a histogram. */
  readonly metricName?: string
}

/** A metric whose values are kept elsewhere. A registry asks its metrics for no more than this, prom-client's own histograms too. */
class ReadOff {
  readonly name: string
  private readonly help: string
  private readonly type: 'counter' | 'histogram'
  private readonly read: (name: string) => readonly Value[]

  constructor(name: string, help: string, type: 'counter' | 'histogram', read: (name: string) => readonly Value[]) {
    this.name = name
    this.help = help
    this.type = type
    this.read = read
  }

  /** For text: shared labels are put into it once, which makes it in a third of the time. */
  async getForPromString() {
    const { name, help, type } = this
    return { name, help, type, aggregator: 'sum', values: this.read(name) }
  }

  async get() {
    const metric = await this.getForPromString()
    return { ...metric, values: metric.values.map(withAllLabels) }
  }
}

/** Adds them to a registry. */
export function addRequestMetrics(registry: Registry, series: RequestSeries): void {
  const add = (metric: ReadOff): void => registry.registerMetric(metric as unknown as Counter)
  const counter = (name: string, help: string, read: () => readonly Value[]): void =>
    add(new ReadOff(name, help, 'counter', read))
  const histogram = (name: string, help: string, read: () => Iterable<readonly [Labels, Distribution]>): void =>
    add(
      new ReadOff(name, help, 'histogram', (metric) =>
        Array.from(read()).flatMap(([labels, one]) => valuesOf(metric, labels, one)),
      ),
    )
  const { pairs } = series

  counter('millrace_requests_total', 'Requests that have ended, by the HTTP status of their answer.', () =>
    pairs.flatMap(({ alias, provider, paths }) =>
      paths.flatMap(({ endpoint, statuses, counts }) =>
        statuses.map((status, i) => ({ labels: { endpoint, alias, provider, status }, value: counts[i]! })),
      ),
    ),
  )
  histogram('millrace_request_duration_seconds', 'From a request to the end of its answer.', () =>
    pairs.flatMap(({ alias, provider, paths }) =>
      paths.map(({ endpoint, duration }) => [{ endpoint, alias, provider }, duration] as const),
    ),
  )
  histogram('millrace_time_to_first_token_seconds', 'From a streamed request to the first content of its answer.', () =>
    pairs.flatMap(({ alias, provider, firstToken }) =>
      firstToken.isEmpty ? [] : [[{ alias, provider }, firstToken] as const],
    ),
  )
  histogram('millrace_overhead_seconds', "The gateway's own share of the time until an answer began.", () =>
    Array.from(series.overheads, ([endpoint, overhead]) => [{ endpoint }, overhead] as const),
  )
  counter('millrace_tokens_total', 'Tokens that providers were asked for, as they have said, else estimated.', () =>
    pairs.flatMap(({ alias, provider, inputTokens, outputTokens }) =>
      inputTokens + outputTokens === 0
        ? []
        : [
            { labels: { direction: 'input', alias, provider }, value: inputTokens },
            { labels: { direction: 'output', alias, provider }, value: outputTokens },
          ],
    ),
  )
  counter('millrace_cost_usd_total', 'What they cost, where a price is known.', () =>
    pairs.flatMap(({ alias, provider, costUsd }) =>
      costUsd === 0 ? [] : [{ labels: { alias, provider }, value: costUsd }],
    ),
  )
  counter('millrace_attempts_total', 'Attempts at providers, by the class of their error.', () =>
    series.outcomes.map(({ provider, outcome, count }) => ({ labels: { provider, outcome }, value: count })),
  )
}

function valuesOf(name: string, sharedLabels: Labels, distribution: Distribution): Value[] {
  const { bounds, sum } = distribution
  const cumulative = distribution.cumulative()
  const metricName = `${name}_bucket`
  const values: Value[] = cumulative.map((value, i) => ({
    metricName,
    labels: { le: bounds[i] ?? '+Inf' },
    sharedLabels,
    value,
  }))
  values.push({ metricName: `${name}_sum`, labels: NONE, sharedLabels, value: sum })
  values.push({ metricName: `${name}_count`, labels: NONE, sharedLabels, value: cumulative.at(-1)! })
  return values
}

const NONE: Labels = {}

function withAllLabels({ labels, sharedLabels, ...rest }: Value): Value {
  return { ...rest, labels: { ...labels, ...sharedLabels } }
}
