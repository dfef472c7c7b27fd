/** Traces as a collector gets them: OTLP over HTTP, W3C trace context in and out, conventions for generative AI. */
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'

import { UPSTREAM_KEY } from '../helpers/gateway.ts'
import { CLIENT, SERVER, startOtlpReceiver, type SeenSpan } from '../helpers/otlp-receiver.ts'
import { useScene } from '../helpers/scene.ts'
import type { SeenRequest } from '../helpers/upstream.ts'
import { behaviours, USAGE } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'

const receiver = await startOtlpReceiver()
after(() => receiver[Symbol.asyncDispose]())
const scene = useScene({
  proxyEnv: {
    OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/base`,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=secret%20of%20the%20collector',
    OTEL_SERVICE_NAME: 'gateway-under-test',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,team=a%2Cb',
  },
})

let traces = 0
const newTrace = (): string => (++traces).toString(16).padStart(32, 'a')
const PARENT = 'b7ad6b7169203331'
const from = (traceId: string, flags = '01'): Record<string, string> => ({
  traceparent: `00-${traceId}-${PARENT}-${flags}`,
})
const ofKind = (spans: readonly SeenSpan[], kind: number): SeenSpan[] =>
  spans.filter((span) => span.kind === kind).toSorted((a, b) => a.begin - b.begin)
const parentsSent = (seen: readonly SeenRequest[]): unknown[] => seen.map(({ headers }) => headers['traceparent'])
const parentOf = ({ traceId, spanId }: SeenSpan): string => `00-${traceId}-${spanId}-01`

/** The one SERVER span of a trace, and the CLIENT spans below it. */
async function traceOf(traceId: string, attempts: number): Promise<{ server: SeenSpan; clients: SeenSpan[] }> {
  const spans = await receiver.trace(traceId, attempts + 1)
  const [[server, ...more], clients] = [ofKind(spans, SERVER), ofKind(spans, CLIENT)]
  assert.deepEqual([more.length, clients.length], [0, attempts])
  for (const client of clients) assert.equal(client.parentSpanId, server!.spanId)
  return { server: server!, clients }
}

suite('a trace', { concurrency: true }, () => {
  test('goes on from its sender to the provider, and says what became of the request', async () => {
    const traceId = newTrace()
    const routed = await scene.routed({ only: { behaviour: behaviours.answer() } })
    const headers = { ...from(traceId), tracestate: 'vendor=opaque,other=1', 'x-request-id': 'traced-1' }
    const answer = await scene.chat(scene.body(routed.model, { user: 'a-user' }), headers)
    assert.equal(answer.status, 200)
    const { server, clients } = await traceOf(traceId, 1)
    const [client] = clients
    const [seen] = routed.seen('only')
    assert.equal(seen!.headers['traceparent'], parentOf(client!))
    assert.equal(seen!.headers['tracestate'], 'vendor=opaque,other=1')
    assert.equal(server.parentSpanId, PARENT)
    assert.equal(server.traceState, 'vendor=opaque,other=1')
    assert.equal(server.name, 'POST /v1/chat/completions')
    assert.equal(server.status, 0)
    const { attributes } = server
    assert.deepEqual(
      {
        method: attributes['http.request.method'],
        route: attributes['http.route'],
        status: attributes['http.response.status_code'],
        error: attributes['error.type'],
        request: attributes['millrace.request_id'],
        record: attributes['millrace.record_id'],
        alias: attributes['millrace.alias'],
        cache: attributes['millrace.cache'],
        project: attributes['millrace.project_id'],
      },
      {
        method: 'POST',
        route: '/v1/chat/completions',
        status: 200,
        error: undefined,
        request: 'traced-1',
        record: answer.headers['x-millrace-id'],
        alias: routed.model,
        cache: 'BYPASS',
        project: await scene.gateway.projectId(),
      },
    )
    assert.equal(client!.name, `chat ${seen!.model}`)
    const said = client!.attributes
    assert.deepEqual(
      {
        operation: said['gen_ai.operation.name'],
        provider: said['gen_ai.provider.name'],
        model: said['gen_ai.request.model'],
        input: said['gen_ai.usage.input_tokens'],
        output: said['gen_ai.usage.output_tokens'],
        address: said['server.address'],
        port: said['server.port'],
        status: said['http.response.status_code'],
      },
      {
        operation: 'chat',
        provider: answer.headers['x-millrace-provider'],
        model: seen!.model,
        input: USAGE.prompt_tokens,
        output: USAGE.completion_tokens,
        address: '127.0.0.1',
        port: scene.upstream.port,
        status: 200,
      },
    )
    assert.ok(server.begin <= client!.begin && client!.end <= server.end, 'the attempt lies within the request')
    assert.deepEqual(
      ['service.name', 'deployment.environment.name', 'team'].map((name) => server.resource[name]),
      ['gateway-under-test', 'test', 'a,b'],
    )
    const { path, headers: sent } = receiver.requests[0]!
    assert.equal(path, '/base/v1/traces')
    assert.equal(sent['x-collector-key'], 'secret of the collector')
    const told = receiver.requests.map(({ text }) => text).join()
    for (const secret of [scene.gateway.token, UPSTREAM_KEY, 'Say hello', 'a-user', 'Hello from'])
      assert.ok(!told.includes(secret), secret)
  })

  test('names a provider as the conventions do, where its kind says who it is', async () => {
    for (const [kind, name] of [
      ['OPENAI', 'openai'],
      ['AZURE_OPENAI', 'azure.ai.openai'],
      ['ANTHROPIC', 'anthropic'],
      ['GEMINI', 'gcp.gemini'],
      ['BEDROCK', 'aws.bedrock'],
    ] as const) {
      const traceId = newTrace()
      // None of them is answered in its own words: what is asked and by whom is told all the same.
      const model = await scene.behaving(
        `traced-${kind}`,
        behaviours.refuse(400),
        { kind },
        { retry: { maxAttempts: 1 } },
      )
      await scene.chat(scene.body(model), from(traceId))
      const { attributes } = (await traceOf(traceId, 1)).clients[0]!
      assert.deepEqual([attributes['gen_ai.provider.name'], attributes['gen_ai.operation.name']], [name, 'chat'])
    }
  })

  test('has a span for each attempt, each with the traceparent that its provider got', async () => {
    const traceId = newTrace()
    const { inTurn, serverError, rateLimited, answer: good } = behaviours
    const routed = await scene.routed(
      {
        first: { behaviour: inTurn(serverError()), priority: 0 },
        second: { behaviour: inTurn(rateLimited(), good()), priority: 1 },
      },
      { retry: { initialBackoffMs: 10, maxAttempts: 5 } },
    )
    const answer = await scene.chat(scene.body(routed.model), from(traceId))
    const attempts = Number(answer.headers['x-millrace-attempts'])
    assert.equal(answer.status, 200)
    assert.ok(attempts >= 3)
    const { server, clients } = await traceOf(traceId, attempts)
    const seen = [...routed.seen('first'), ...routed.seen('second')].toSorted((a, b) => a.at - b.at)
    assert.deepEqual(parentsSent(seen), clients.map(parentOf))
    const errors = clients.map(({ attributes }) => attributes['error.type'])
    assert.deepEqual(new Set(errors), new Set(['upstream_5xx', 'upstream_rate_limited', undefined]))
    assert.deepEqual(
      clients.map(({ status }) => status),
      errors.map((error) => (error === undefined ? 0 : 2)),
    )
    for (const [i, { attributes }] of clients.entries()) {
      assert.equal(attributes['millrace.attempt'], i)
      assert.equal(attributes['gen_ai.usage.input_tokens'] !== undefined, i === clients.length - 1)
    }
    assert.equal(server.attributes['millrace.attempts'], attempts)
  })

  test('of a stream ends with the stream', async () => {
    const traceId = newTrace()
    const { model } = await scene.routed({ only: { behaviour: behaviours.answer({ gapMs: 250 }) } })
    const answer = await scene.chat(scene.body(model, { stream: true }), from(traceId))
    assert.match(answer.text, /\[DONE\]/)
    const { server, clients } = await traceOf(traceId, 1)
    const { attributes, begin, end } = clients[0]!
    const firstChunk = Number(attributes['gen_ai.response.time_to_first_chunk']) * 1_000
    assert.ok(firstChunk > 0 && end - begin - firstChunk > 150, `${firstChunk} of ${end - begin} ms`)
    assert.ok(server.end >= end - 1)
    assert.equal(attributes['gen_ai.request.stream'], true)
    assert.equal(attributes['gen_ai.usage.output_tokens'], USAGE.completion_tokens)
  })

  test('tells of a stream that breaks off', async () => {
    const traceId = newTrace()
    const { model } = await scene.routed({ only: { behaviour: behaviours.errorEventLater() } })
    assert.equal((await scene.chat(scene.body(model, { stream: true }), from(traceId))).status, 200)
    const { server, clients } = await traceOf(traceId, 1)
    assert.deepEqual([server.status, server.attributes['error.type']], [2, 'stream_error'])
    assert.deepEqual([clients[0]!.status, clients[0]!.attributes['error.type']], [2, 'stream_error'])
    assert.equal(clients[0]!.attributes['millrace.usage.source'], 'ESTIMATED')
  })

  test('that is not sampled is passed on, and not sent', async () => {
    const traceId = newTrace()
    const marker = newTrace()
    const routed = await scene.routed({ only: { behaviour: behaviours.answer() } })
    await scene.chat(scene.body(routed.model), from(traceId, '00'))
    assert.match(
      String(routed.seen('only')[0]!.headers['traceparent']),
      new RegExp(`^00-${traceId}-(?!${PARENT})[\\da-f]{16}-00$`),
    )
    // Spans are sent in the order in which they ended.
    await scene.chat(scene.body(routed.model), from(marker))
    await traceOf(marker, 1)
    assert.deepEqual(
      receiver.spans.filter((span) => span.traceId === traceId),
      [],
    )
  })

  test('begins here where its sender has none, or none that can be understood', async () => {
    const routed = await scene.routed({ only: { behaviour: behaviours.answer() } })
    const bad = [
      {},
      { traceparent: `00-${'0'.repeat(32)}-${PARENT}-01`, tracestate: 'a=1' },
      { traceparent: `00-${newTrace().toUpperCase()}-${PARENT}-01` },
      { traceparent: `ff-${newTrace()}-${PARENT}-01` },
      { traceparent: `00-${newTrace()}-${PARENT}-01-more` },
      { traceparent: `cc-${newTrace()}-${PARENT}-01-${'x'.repeat(300)}` },
      { traceparent: 'nonsense' },
    ]
    for (const headers of bad) await scene.chat(scene.body(routed.model), headers)
    for (const [i, { headers }] of routed.seen('only').entries()) {
      const [, traceId] = /^00-([\da-f]{32})-[\da-f]{16}-01$/.exec(String(headers['traceparent']))!
      assert.ok(!String(bad[i]!.traceparent).includes(traceId!))
      assert.equal(headers['tracestate'], undefined)
      assert.equal((await traceOf(traceId!, 1)).server.parentSpanId, undefined)
    }
    const later = newTrace()
    await scene.chat(scene.body(routed.model), { traceparent: `cc-${later}-${PARENT}-01-what-comes-later` })
    assert.equal((await traceOf(later, 1)).server.parentSpanId, PARENT)
  })

  test('of a refused request is no error of the server, and its own span alone unless a provider refused it', async () => {
    const [unknown, stranger] = [newTrace(), newTrace()]
    await scene.chat(scene.body('no-such-model'), from(unknown))
    await scene.chat(scene.body(), { ...from(stranger), authorization: 'Bearer sk-mr-nobody' })
    for (const [traceId, status, error] of [
      [unknown, 404, 'model_not_found'],
      [stranger, 401, 'invalid_api_key'],
    ] as const) {
      const { server } = await traceOf(traceId, 0)
      assert.deepEqual(
        [server.status, server.attributes['http.response.status_code'], server.attributes['error.type']],
        [0, status, error],
      )
      assert.equal(server.attributes['millrace.alias'], undefined)
    }
    const wrong = newTrace()
    const { model } = await scene.routed({ only: { behaviour: behaviours.badRequest() } })
    assert.equal((await scene.chat(scene.body(model), from(wrong))).status, 400)
    const { server, clients } = await traceOf(wrong, 1)
    assert.deepEqual([server.status, clients[0]!.status], [0, 2])
  })

  test('of a request that shares a flight points to the one that leads it', async () => {
    const [lead, other] = [newTrace(), newTrace()]
    const { promise, resolve } = Promise.withResolvers<void>()
    const routed = await scene.routed(
      { only: { behaviour: behaviours.onceReleased(promise, behaviours.answer()) } },
      { cache: { coalesce: true } },
    )
    const first = scene.chat(scene.body(routed.model), from(lead))
    await waitFor(() => routed.seen('only').length === 1)
    const second = scene.chat(scene.body(routed.model), from(other))
    const coalesced = async (): Promise<boolean> =>
      /^millrace_cache_total\{outcome="COALESCED",tier=""\} [1-9]/m.test(
        await (await fetch(`${scene.gateway.proxy.url}/metrics`)).text(),
      )
    await waitFor(coalesced)
    resolve()
    assert.equal((await second).headers['x-cache'], 'COALESCED')
    await first
    const { server: leading } = await traceOf(lead, 1)
    const { server: following } = await traceOf(other, 0)
    assert.deepEqual(
      following.links?.map(({ traceId, spanId }) => [traceId, spanId]),
      [[lead, leading.spanId]],
    )
    assert.equal(following.attributes['millrace.cache'], 'COALESCED')
  })

  test('has paths as few, of what passes through and of what nobody knows', async () => {
    const traceId = newTrace()
    const strange = newTrace()
    const get = (path: string, headers: Record<string, string>) => scene.gateway.fetch(path, { headers })
    await get('/v1/images/made-up-by-a-client', { ...from(traceId), 'x-millrace-provider': 'scene-provider' })
    await get('/v1/made-up-by-a-client', from(strange))
    const { server, clients } = await traceOf(traceId, 1)
    assert.deepEqual([server.name, clients[0]!.name], ['GET /v1/images/*', 'GET'])
    assert.equal(clients[0]!.attributes['gen_ai.operation.name'], undefined)
    assert.equal((await traceOf(strange, 0)).server.name, 'GET')
  })
})
