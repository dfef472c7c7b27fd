/** What waits for a collector: how much of it there can be, what it holds on to, and what becomes of it at the end. */
import assert from 'node:assert/strict'
import { after, afterEach, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { newId, readSettings } from '@millrace/shared'

import type { Exchange } from '../../packages/proxy/dist/request/exchange.js'
import { openTracing } from '../../packages/proxy/dist/tracing/open.js'
import type { Tracing } from '../../packages/proxy/dist/tracing/tracing.js'
import { startOtlpReceiver } from '../helpers/otlp-receiver.ts'
import { waitFor } from '../helpers/wait.ts'
import { SILENT } from '../helpers/worker-links.ts'

const MOST_QUEUED = 4_096
const IDENTITY = { id: newId(), version: '0', startedAt: new Date().toISOString() }

const receiver = await startOtlpReceiver()
after(() => receiver[Symbol.asyncDispose]())
process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = receiver.url
afterEach(() => {
  delete process.env['OTEL_SDK_DISABLED']
  delete process.env['OTEL_TRACES_SAMPLER']
})

const opened = (): Promise<Tracing | null> => openTracing(readSettings(process.env), IDENTITY, SILENT)

/** A request that was refused, as far as its span tells of it. */
function tell(tracing: Tracing, endpoint: string, headers = {}): void {
  const trace = tracing.begin(headers)
  const exchange = {
    endpoint,
    req: { method: 'GET' },
    res: { headersSent: true, statusCode: 404 },
    startedAt: Date.now(),
    latencyMs: 1,
    cache: { outcome: 'BYPASS' },
    found: null,
    flight: null,
    token: null,
    snapshot: null,
    outcome: null,
    pays: true,
  }
  tracing.tell(exchange as unknown as Exchange, trace)
}

test('what is taken makes room', async () => {
  const tracing = (await opened())!
  const most = Math.floor(MOST_QUEUED * 0.75)
  for (let round = 1; round <= 2; round++) {
    for (let i = 0; i < most; i++) tell(tracing, '/v1/none')
    await waitFor(() => receiver.spans.length === most * round, { what: 'all spans', timeoutMs: 20_000 })
  }
  assert.equal(tracing.dropped, 0)
})

test('what waits at the end is taken, as much as can', async () => {
  const before = receiver.spans.length
  const tracing = (await opened())!
  for (let i = 0; i < MOST_QUEUED + 10; i++) tell(tracing, '/v1/none')
  assert.equal(tracing.dropped, 10, 'those for which there is no room')
  await tracing.stop()
  assert.equal(receiver.spans.length - before, MOST_QUEUED)
  assert.equal(tracing.dropped, 10)
})

test('what waits holds on to nothing that is large', async () => {
  setFlagsFromString('--expose_gc')
  const collect = runInNewContext('gc') as () => void
  receiver.answers = 'never'
  const tracing = (await opened())!
  collect()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 200; i++) tell(tracing, `/v1/${i}${'x'.repeat(1_000_000)}`)
  collect()
  const megabytes = (process.memoryUsage().heapUsed - before) / 1_048_576
  assert.ok(megabytes < 50, `${megabytes} MB`)
  assert.equal(tracing.dropped, 0)
})

test('names in the environment mean the same in capitals', async () => {
  process.env['OTEL_TRACES_SAMPLER'] = 'Always_Off'
  const tracing = (await opened())!
  assert.equal(tracing.begin({}).context.sampled, false)
  process.env['OTEL_SDK_DISABLED'] = 'True'
  assert.equal(await opened(), null)
})
