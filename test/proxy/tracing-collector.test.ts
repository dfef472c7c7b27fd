/** A collector that is away, or slow, costs requests nothing; and without one, trace context passes as it came. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { suite, test } from 'node:test'
import { promisify } from 'node:util'

import { startLoneProxy, type LoneProxy } from '../helpers/lone-proxy.ts'
import { startOtlpReceiver } from '../helpers/otlp-receiver.ts'
import { waitFor, within } from '../helpers/wait.ts'

const TRACE = 'a'.repeat(31)
const TRACED = { traceparent: `00-${TRACE}1-b7ad6b7169203331-01`, tracestate: 'vendor=opaque' }

async function spansDropped({ proxy }: LoneProxy): Promise<number> {
  const text = await (await fetch(`${proxy.url}/metrics`)).text()
  return Number(/^millrace_spans_dropped_total (\d+)$/m.exec(text)?.[1])
}

/** The files of OpenTelemetry that a process has loaded once it has loaded one of the proxy's; its API, prom-client loads. */
async function loadedBy(file: string): Promise<string[]> {
  const url = new URL(`../../packages/proxy/dist/${file}`, import.meta.url)
  const code = `
    import { registerHooks } from 'node:module'
    registerHooks({ load(url, context, next) { if (/@opentelemetry.(?!api)/.test(url)) console.log(url); return next(url, context) } })
    await import(${JSON.stringify(url.href)})
    process.exit(0)`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code])
  return stdout.split('\n').filter(Boolean)
}

suite('a collector', { concurrency: true }, () => {
  test('that refuses is told of once, and what it lacks is counted; what waits at the end is sent', async () => {
    await using receiver = await startOtlpReceiver()
    receiver.answers = 400
    await using lone = await startLoneProxy({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } })
    await lone.serve(1)
    await waitFor(async () => (await spansDropped(lone)) >= 2, { timeoutMs: 20_000 })
    const before = await spansDropped(lone)
    assert.equal((await lone.chat(TRACED)).status, 200)
    await waitFor(async () => (await spansDropped(lone)) >= before + 2, { timeoutMs: 20_000 })
    const complaints = (): number => lone.proxy.output().stderr.match(/spans are not taken/g)?.length ?? 0
    await waitFor(() => complaints() > 0, { what: 'the log to say so' })
    assert.equal(complaints(), 1)
    receiver.answers = 200
    assert.equal((await lone.chat({ ...TRACED, traceparent: `00-${TRACE}2-b7ad6b7169203331-01` })).status, 200)
    await lone.proxy.stop()
    const spans = await receiver.trace(`${TRACE}2`, 2)
    assert.equal(spans.length, 2)
    assert.match(lone.proxy.output().stderr, /spans are being taken again/)
  })

  test('that never answers delays neither requests nor the end for long', async () => {
    await using receiver = await startOtlpReceiver()
    receiver.answers = 'never'
    await using lone = await startLoneProxy({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } })
    await lone.serve(1)
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await lone.chat(TRACED)).status))
    assert.deepEqual(new Set(statuses), new Set([200]))
    await within(20_000, 'the end', lone.proxy.stop(60_000))
    assert.match(lone.proxy.output().stderr, /spans could not be sent before the end/)
  })

  test('that there is none of: a client’s trace context passes as it came', async () => {
    await using lone = await startLoneProxy()
    await lone.serve(1)
    assert.equal((await lone.chat(TRACED)).status, 200)
    const { traceparent, tracestate } = lone.upstream.last.headers
    assert.deepEqual({ traceparent, tracestate }, TRACED)
    assert.equal(await spansDropped(lone), 0)
  })

  test('that there is none of: nothing is loaded for one', async () => {
    assert.deepEqual(await loadedBy('service.js'), [])
    assert.notDeepEqual(await loadedBy('tracing/make.js'), [])
  })

  test('whose sampling cannot be read gets all, and the log says so', async () => {
    await using receiver = await startOtlpReceiver()
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_TRACES_SAMPLER: 'jaeger_remote' }
    await using lone = await startLoneProxy({ env })
    await lone.serve(1)
    await lone.chat(TRACED)
    await receiver.trace(`${TRACE}1`, 2)
    assert.match(lone.proxy.output().stderr, /OTEL_TRACES_SAMPLER: jaeger_remote/)
  })

  test('gets no traces that begin here where sampling leaves them out', async () => {
    await using receiver = await startOtlpReceiver()
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0',
    }
    await using lone = await startLoneProxy({ env })
    await lone.serve(1)
    await lone.chat()
    assert.match(String(lone.upstream.last.headers['traceparent']), /^00-[\da-f]{32}-[\da-f]{16}-00$/)
    await lone.chat(TRACED)
    await receiver.trace(`${TRACE}1`, 2)
    assert.deepEqual(new Set(receiver.spans.map(({ traceId }) => traceId)), new Set([`${TRACE}1`]))
  })
})
