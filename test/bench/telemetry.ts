/**
 * What metrics and traces cost the proxy: `npm run build && node test/bench/telemetry.ts`. Microseconds of CPU a request, of
 * what is done for one alone; and milliseconds that a scrape holds up the event loop, with as many series as there can be.
 */
import { performance } from 'node:perf_hooks'

import { newId, NO_USAGE } from '@millrace/shared'
import { Registry } from 'prom-client'

import { addRequestMetrics } from '../../packages/proxy/dist/metrics/read-requests.js'
import { RequestMetrics } from '../../packages/proxy/dist/metrics/requests.js'
import type { Exchange } from '../../packages/proxy/dist/request/exchange.js'
import { SpanQueue } from '../../packages/proxy/dist/tracing/export.js'
import { Sampling } from '../../packages/proxy/dist/tracing/sampling.js'
import { Tracing } from '../../packages/proxy/dist/tracing/tracing.js'
import { SILENT } from '../helpers/worker-links.ts'
import { median } from './cache-load.ts'

const BATCHES = 30
const MS_A_BATCH = 50
const ALIASES = 16

/** What metrics and traces look at of a request that one provider has answered. */
function exchangeOf(index: number, trace: Exchange['trace']): Exchange {
  const connection = { passthrough: null }
  const route = { connection, provider: { name: `provider-${index % 3}`, kind: 'OPENAI_COMPATIBLE' } }
  const now = performance.now()
  const exchange = {
    id: newId(),
    requestId: 'bench-request',
    endpoint: '/v1/chat/completions',
    startedAt: Date.now(),
    began: now - 100,
    latencyMs: 100,
    req: { method: 'POST' },
    res: { headersSent: true, statusCode: 200 },
    call: { stream: true },
    found: { alias: { id: 'x', name: `alias-${index}`, routes: [route] } },
    token: { id: newId(), projectId: newId() },
    snapshot: { revision: 7 },
    outcome: { status: 'SUCCESS', errorClass: null, errorMessage: null },
    cache: { outcome: 'BYPASS' },
    stored: null,
    pays: true,
    firstTokenAt: null,
    overheadMs: () => 0.2,
    flight: null as unknown,
    trace,
  }
  const flight = {
    lead: exchange,
    attempts: [] as unknown[],
    attempt: null as unknown,
    usage: { ...NO_USAGE, inputTokens: 20, outputTokens: 40, source: 'PROVIDER' },
    costUsd: '0.000123',
  }
  const attempt = {
    exchange,
    flight,
    route,
    call: exchange.call,
    model: 'provider-model',
    target: { url: 'http://127.0.0.1:8000/v1/chat/completions' },
    began: now - 99,
    endedAt: now,
    firstTokenAt: now - 50,
    failure: null,
    fault: null,
    upstreamStatus: 200,
    hedged: false,
    trace: trace && trace.ask([]),
  }
  flight.attempts.push(attempt)
  flight.attempt = attempt
  exchange.flight = flight
  return exchange as unknown as Exchange
}

/** @param between done after each hundred, which the exporter may need to keep up */
async function microseconds(one: (index: number) => void, between?: () => Promise<void>): Promise<number> {
  const batches: number[] = []
  for (let batch = 0; batch < BATCHES; batch++) {
    const before = process.cpuUsage()
    const began = performance.now()
    let count = 0
    while (performance.now() - began < MS_A_BATCH) {
      for (let i = 0; i < 100; i++) one(count++)
      if (between) await between()
    }
    const { user, system } = process.cpuUsage(before)
    batches.push((user + system) / count)
  }
  return median(batches.slice(BATCHES / 3))
}

const exchanges = Array.from({ length: ALIASES }, (_, i) => exchangeOf(i, null))
const metrics = new RequestMetrics()
const counting = await microseconds((i) => metrics.finished(exchanges[i % ALIASES]!))
console.log(`metrics: ${counting.toFixed(2)} µs a request`)

/** Takes what it is given, as OTLP's exporter does, and puts it into words. */
const { JsonTraceSerializer } = (await import(
  import.meta.resolve('@opentelemetry/otlp-transformer', import.meta.resolve('@opentelemetry/exporter-trace-otlp-http'))
)) as { JsonTraceSerializer: { serializeRequest(spans: unknown): Uint8Array } }
let bytes = 0
let spans = 0
const batches: number[] = []
const exporter = {
  export(batch: readonly unknown[], told: (result: { code: number }) => void): void {
    const began = performance.now()
    bytes += JsonTraceSerializer.serializeRequest(batch).length
    batches.push(performance.now() - began)
    spans += batch.length
    told({ code: 0 })
  },
  shutdown: async () => {},
}
const { resourceFromAttributes } = await import('@opentelemetry/resources')
const tracing = new Tracing(new Sampling(), new SpanQueue(exporter, SILENT), {
  resource: resourceFromAttributes({ 'service.name': 'bench' }),
  instrumentationScope: { name: 'bench' },
})
const headers = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00' }
const unsampled = await microseconds(() => tracing.begin(headers).ask(['content-type', 'application/json']))
console.log(`traces, not sampled: ${unsampled.toFixed(2)} µs a request of one attempt`)
const sampled = await microseconds(
  (i) => {
    const trace = tracing.begin({})
    trace.finished(exchangeOf(i % ALIASES, trace))
  },
  () => new Promise((resolve) => setImmediate(resolve)),
)
const making = await microseconds(
  (i) => void exchangeOf(i % ALIASES, null),
  () => new Promise((resolve) => setImmediate(resolve)),
)
console.log(
  `traces, sampled: ${(sampled - making).toFixed(2)} µs a request of one attempt, ${(bytes / spans).toFixed(0)} bytes a span, ` +
    `a batch holds up the event loop for ${median(batches).toFixed(2)} ms; dropped ${tracing.dropped}`,
)

const { series } = new RequestMetrics()
for (let i = 0; i < 5_000; i++) {
  const pair = series.pairOf(`a-name-of-an-alias-${i}`, `provider-${i % 10}`)
  pair.inputTokens = pair.outputTokens = pair.costUsd = 1
  pair.firstToken.observe(0.1)
  for (const status of [200, 429, 502]) series.countStatus(series.pathOf(pair, '/v1/chat/completions'), status)
}
const registry = new Registry()
addRequestMetrics(registry, series)
async function milliseconds(make: () => Promise<string>): Promise<[ms: number, kilobytes: number]> {
  const taken: number[] = []
  let length = 0
  for (let i = 0; i < 10; i++) {
    const began = performance.now()
    length = (await make()).length
    taken.push(performance.now() - began)
  }
  return [median(taken), length / 1_024]
}
const [asText, kilobytes] = await milliseconds(() => registry.metrics())
const [asJson, jsonKilobytes] = await milliseconds(async () => JSON.stringify(await registry.getMetricsAsJSON()))
console.log(
  `scrape of all there can be: ${asText.toFixed(1)} ms, ${kilobytes.toFixed(0)} KB; of a worker ` +
    `${asJson.toFixed(1)} ms, ${jsonKilobytes.toFixed(0)} KB`,
)
process.exit(0)
