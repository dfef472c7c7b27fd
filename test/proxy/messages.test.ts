/** Anthropic's Messages API, for clients of it and of others, with real processes and Anthropic's own SDK. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import Anthropic, { APIError } from '@anthropic-ai/sdk'

import { UPSTREAM_KEY } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import { raw } from '../helpers/upstream/answers.ts'
import type { Behaviour, Exchange } from '../helpers/upstream/exchange.ts'

const scene = useScene()
const USER = { role: 'user' as const, content: 'Say hello.' }
const TOOL = { name: 'weather', input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } } }
const VERSION = { 'anthropic-version': '2023-06-01' }

const BLOCKS = [
  { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
  { type: 'text', text: 'Hello, Wörld.' },
  { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Köln', n: 1.5 } },
]
const USAGE = { input_tokens: 11, cache_creation_input_tokens: 2, cache_read_input_tokens: 3, output_tokens: 1 }

function event(value: { readonly type: string; readonly [member: string]: unknown }): string {
  return `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`
}

function messageOf(model: string): Record<string, unknown> & { content: typeof BLOCKS } {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model,
    content: BLOCKS,
    stop_reason: 'tool_use',
    stop_sequence: null,
    usage: { ...USAGE, output_tokens: 20, service_tier: 'standard' },
  }
}

function eventsOf(model: string): string {
  const block = (index: number, content_block: object, ...deltas: object[]): string =>
    event({ type: 'content_block_start', index, content_block }) +
    deltas.map((delta) => event({ type: 'content_block_delta', index, delta })).join('') +
    event({ type: 'content_block_stop', index })
  return [
    event({ type: 'message_start', message: { ...messageOf(model), content: [], stop_reason: null, usage: USAGE } }),
    event({ type: 'ping' }),
    block(
      0,
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'thinking_delta', thinking: 'Hm.' },
      { type: 'signature_delta', signature: 'c2ln' },
    ),
    block(
      1,
      { type: 'text', text: '' },
      { type: 'text_delta', text: 'Hello, ' },
      { type: 'text_delta', text: 'Wörld.' },
    ),
    block(
      2,
      { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} },
      { type: 'input_json_delta', partial_json: '{"city":"Kö' },
      { type: 'input_json_delta', partial_json: 'ln","n":1.5}' },
    ),
    event({
      type: 'message_delta',
      delta: { stop_reason: 'tool_use', stop_sequence: null },
      usage: { output_tokens: 20 },
    }),
    event({ type: 'message_stop' }),
  ].join('')
}

/** A whole stream, in pieces of so many bytes. */
function stream(events: string, size = 7): Behaviour {
  return async (exchange) => {
    exchange.head(200, { 'content-type': 'text/event-stream; charset=utf-8', 'request-id': 'req_upstream' })
    const bytes = Buffer.from(events)
    for (let at = 0; at < bytes.length; at += size) await exchange.writeWhole(bytes.subarray(at, at + size))
    exchange.end()
  }
}

/** Anthropic, as far as it is asked. */
async function anthropic(exchange: Exchange): Promise<void> {
  const { seen } = exchange
  const model = seen.model ?? ''
  if (seen.url.endsWith('/count_tokens')) return raw('{"input_tokens": 42}')(exchange)
  if (exchange.streams) return stream(eventsOf(model))(exchange)
  return raw(JSON.stringify(messageOf(model)), { headers: { 'request-id': 'req_upstream' } })(exchange)
}

let made = 0

/** An alias for a provider of a kind. */
function served(behaviour: Behaviour, kind: 'ANTHROPIC' | 'OPENAI_COMPATIBLE' = 'ANTHROPIC'): Promise<string> {
  return scene.behaving(`claude-sonnet-4-5-${kind}-${made++}`, behaviour, { kind })
}

function client(token = scene.gateway.token): Anthropic {
  return new Anthropic({ baseURL: scene.gateway.proxy.url, apiKey: token, maxRetries: 0 })
}

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return scene.gateway.post(path, body, headers)
}

describe('Messages asked of Anthropic', () => {
  test('pass both ways as they are, but for the name of the model', async () => {
    const model = await served(anthropic)
    const alias = `${model}-renamed`
    const provider = await scene.gateway.addProvider(scene.upstream.baseUrl.replace(/\/v1$/, ''), { kind: 'ANTHROPIC' })
    await scene.gateway.addAlias(alias, [{ provider, providerModel: model }])
    await scene.gateway.untilServed()
    const body = `{"model": ${JSON.stringify(alias)}, "max_tokens": 1e2,"odd":null, "messages":[{"role":"user","content":"x"}]}`
    const answer = await post('/v1/messages', body, { 'anthropic-beta': 'some-beta', 'x-api-key': 'not-this' })
    assert.equal(answer.status, 200)
    assert.equal(await answer.text(), JSON.stringify(messageOf(alias)))
    const { last } = scene.upstream
    assert.equal(last.body.toString(), body.replace(JSON.stringify(alias), JSON.stringify(model)))
    assert.equal(last.url, '/v1/messages')
    const { headers } = last
    assert.deepEqual(
      [headers['x-api-key'], headers['authorization'], headers['anthropic-version'], headers['anthropic-beta']],
      [UPSTREAM_KEY, undefined, '2023-06-01', 'some-beta'],
    )
    assert.equal(answer.headers.get('request-id'), answer.headers.get('x-request-id'))
    assert.equal(answer.headers.get('x-millrace-upstream-request-id'), 'req_upstream')
    const record = await scene.gateway.record(answer)
    assert.deepEqual(
      [record.endpoint, record.usage.inputTokens, record.usage.cachedInputTokens, record.usage.outputTokens],
      ['/v1/messages', 16, 3, 20],
    )
    const streamed = await post('/v1/messages', { model: alias, max_tokens: 9, stream: true, messages: [USER] })
    assert.equal(await streamed.text(), eventsOf(alias))
    assert.equal((await scene.gateway.record(streamed)).usage.outputTokens, 20)
  })

  test('are what the SDK expects: whole, streamed, counted, listed', async () => {
    const model = await served(anthropic)
    const sdk = client()
    const params = { model, max_tokens: 100, messages: [USER], tools: [TOOL] }
    const message = await sdk.messages.create(params)
    assert.deepEqual(message.content, BLOCKS)
    const final = await sdk.messages.stream(params).finalMessage()
    assert.deepEqual(final.content, BLOCKS)
    assert.deepEqual([final.model, final.stop_reason, final.usage.output_tokens], [model, 'tool_use', 20])
    assert.deepEqual(await sdk.messages.countTokens({ model, messages: [USER] }), { input_tokens: 42 })
    const models = await Array.fromAsync(sdk.models.list())
    const listed = models.find(({ id }) => id === model)
    assert.deepEqual([listed?.type, listed?.display_name], ['model', model])
    assert.equal((await sdk.models.retrieve(model)).id, model)
  })

  test('leave behind what another provider thought, and nothing else', async () => {
    const model = await served(anthropic)
    const own = { type: 'thinking', thinking: 'a', signature: '' }
    const text = { type: 'text', text: 'b' }
    const foreign = { type: 'thinking', thinking: 'c', signature: 'mr1.gemini.abc' }
    const body = (content: object[]) => ({
      model,
      max_tokens: 9,
      messages: [USER, { role: 'assistant', content }, USER],
    })
    await (await post('/v1/messages', body([own, foreign, text]))).text()
    assert.deepEqual(scene.upstream.last.json, body([own, text]))
    await (await post('/v1/messages', body([own, text]))).text()
    assert.equal(scene.upstream.last.body.toString(), JSON.stringify(body([own, text])))
  })

  test('carry metadata in their last event, where that is asked for', async () => {
    const model = await served(anthropic)
    const body = { model, max_tokens: 9, stream: true, messages: [USER] }
    const text = await (await post('/v1/messages', body, { 'x-millrace-include': 'metadata' })).text()
    const last = JSON.parse(text.trim().split('data: ').at(-1)!)
    assert.deepEqual([last.type, last.metadata.model, last.metadata.attempts], ['message_stop', model, 1])
    assert.equal(text.split('"metadata"').length, 2)
  })

  test('that are refused, or fail, are so in the same words', async () => {
    const error = { type: 'error', error: { type: 'invalid_request_error', message: 'max_tokens: too many' } }
    const refusing = await served(raw(JSON.stringify(error), { status: 400 }))
    const refused = await post('/v1/messages', { model: refusing, max_tokens: 9, messages: [USER] })
    assert.deepEqual([refused.status, await refused.json()], [400, error])
    const overloaded = event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })
    const [start] = eventsOf('x').split('event: ping')
    const failing = await served(stream(`${start}${overloaded}`))
    const failed = await post('/v1/messages', { model: failing, max_tokens: 9, stream: true, messages: [USER] })
    assert.equal(failed.status, 502)
    const body = (await failed.json()) as { type: string; error: { type: string; message: string }; request_id: string }
    assert.deepEqual([body.type, body.error.type], ['error', 'api_error'])
    assert.equal(body.request_id, failed.headers.get('request-id'))
    const [head] = eventsOf('x').split('event: message_delta')
    const breaking = await served(stream(`${head}${overloaded}`))
    const broken = client().messages.stream({ model: breaking, max_tokens: 9, messages: [USER] })
    await assert.rejects(
      broken.finalMessage(),
      (thrown) => thrown instanceof APIError && /Overloaded/.test(thrown.message),
    )
  })

  test('that their client leaves count what came, beside the input that was told', async () => {
    const head = eventsOf('x').split('event: message_delta')[0]!
    const model = await served(async (exchange) => {
      exchange.head(200, { 'content-type': 'text/event-stream' })
      await exchange.writeWhole(Buffer.from(head))
      await exchange.seen.ended
    })
    const leaving = new AbortController()
    const body = JSON.stringify({ model, max_tokens: 9, stream: true, messages: [USER] })
    const headers = { 'x-api-key': scene.gateway.token, 'content-type': 'application/json' }
    const answer = await scene.gateway.fetch('/v1/messages?beta=true', {
      method: 'POST',
      body,
      headers,
      signal: leaving.signal,
    })
    let text = ''
    for (const reader = answer.body!.getReader(); !text.includes('n\\":1.5');) {
      const { value } = await reader.read()
      text += Buffer.from(value).toString()
    }
    leaving.abort()
    const { status, usage } = await scene.gateway.record(answer)
    const deltas = text.split('event: content_block_delta').length - 1
    assert.deepEqual(
      [status, usage.source, usage.inputTokens, usage.cachedInputTokens, usage.outputTokens],
      ['CANCELLED', 'ESTIMATED', 16, 3, deltas],
    )
  })

  test('are remembered by a cache in either form', async () => {
    const model = await served(anthropic)
    const alias = `${model}-cached`
    const provider = await scene.gateway.addProvider(scene.upstream.baseUrl, { kind: 'ANTHROPIC' })
    await scene.gateway.addAlias(alias, [{ provider, providerModel: model }], {
      cache: { enabled: true, storeToolCalls: true },
    })
    await scene.gateway.untilServed()
    const body = { model: alias, max_tokens: 9, messages: [USER] }
    const first = await post('/v1/messages', { ...body, stream: true })
    assert.equal(first.headers.get('x-cache'), 'MISS')
    await first.text()
    const second = await post('/v1/messages', body)
    assert.equal(second.headers.get('x-cache'), 'HIT')
    assert.deepEqual(((await second.json()) as { content: unknown }).content, BLOCKS)
  })
})

describe("a path of Anthropic's API", () => {
  async function errorOf(answer: Response): Promise<string> {
    const body = (await answer.json()) as { type: string; error: { type: string; message: string }; request_id: string }
    assert.equal(body.type, 'error')
    assert.deepEqual(Object.keys(body), ['type', 'error', 'request_id'])
    assert.ok(body.error.message.length > 0)
    return `${answer.status} ${body.error.type}`
  }

  test('tells of errors in its shape', async () => {
    const { gateway, alias: model } = scene
    const body = { model, max_tokens: 9, messages: [USER] }
    const wrongKey = await gateway.post('/v1/messages', body, { authorization: 'Bearer sk-wrong' })
    assert.equal(await errorOf(wrongKey), '401 authentication_error')
    assert.equal(await errorOf(await post('/v1/messages', { ...body, model: 'nobody' })), '404 not_found_error')
    assert.equal(await errorOf(await post('/v1/messages', '{')), '400 invalid_request_error')
    assert.equal(await errorOf(await post('/v1/messages', { model, messages: [] })), '400 invalid_request_error')
    assert.equal(await errorOf(await gateway.fetch('/v1/messages')), '405 invalid_request_error')
    assert.equal(await errorOf(await gateway.fetch('/v1/messages/batches')), '404 not_found_error')
    assert.equal(await errorOf(await post('/v1/messages/whatever', {})), '404 not_found_error')
    const large = await post('/v1/messages', { ...body, system: 'x'.repeat(11_000_000) })
    assert.equal(await errorOf(large), '413 request_too_large')
    assert.equal(await errorOf(await gateway.fetch('/v1/models/nobody', { headers: VERSION })), '404 not_found_error')
    assert.equal(await errorOf(await post('/v1/models', {}, VERSION)), '405 invalid_request_error')
    assert.equal(await errorOf(await post('/v1/models/nobody', {}, VERSION)), '405 invalid_request_error')
    assert.equal(await errorOf(await post('/v1/messages', { ...body, container: 'c' })), '400 invalid_request_error')
  })
})

describe('Messages asked of a provider that has chat completions', () => {
  const ANSWER = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: 'Hello, Wörld.',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Köln"}' } }],
        },
        finish_reason: 'tool_calls',
      },
    ],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, prompt_tokens_details: { cached_tokens: 4 } },
  }
  const CHUNKS = [
    { delta: { role: 'assistant', content: '' } },
    { delta: { content: 'Hello, ' } },
    { delta: { content: 'Wörld.' } },
    {
      delta: {
        tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } }],
      },
    },
    { delta: { tool_calls: [{ index: 0, function: { arguments: '{"city":"K' } }] } },
    { delta: { tool_calls: [{ index: 0, function: { arguments: 'öln"}' } }] } },
    { delta: {}, finish_reason: 'tool_calls' },
  ]

  async function chat(exchange: Exchange): Promise<void> {
    if (!exchange.streams) return raw(JSON.stringify(ANSWER))(exchange)
    const head = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'm' }
    const chunks: object[] = CHUNKS.map((choice) => ({
      ...head,
      choices: [{ index: 0, finish_reason: null, ...choice }],
    }))
    chunks.push({ ...head, choices: [], usage: ANSWER.usage })
    const events = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')
    return stream(`${events}data: [DONE]\n\n`)(exchange)
  }

  const params = (model: string) => ({
    model,
    max_tokens: 100,
    system: 'Be short.',
    messages: [
      USER,
      {
        role: 'assistant' as const,
        content: [{ type: 'tool_use' as const, id: 'call_0', name: 'weather', input: { city: 'Bonn' } }],
      },
      { role: 'user' as const, content: [{ type: 'tool_result' as const, tool_use_id: 'call_0', content: 'Sunny.' }] },
    ],
    tools: [TOOL],
  })
  const CONTENT = [
    ['text', 'Hello, Wörld.'],
    ['tool_use', { city: 'Köln' }],
  ]

  function saidBy(message: Anthropic.Message): unknown {
    return message.content.map((block) =>
      block.type === 'text' ? [block.type, block.text] : block.type === 'tool_use' ? [block.type, block.input] : block,
    )
  }

  test('are answered as the SDK expects, whole and streamed', async () => {
    const model = await served(chat, 'OPENAI_COMPATIBLE')
    const sdk = client()
    const message = await sdk.messages.create(params(model))
    assert.deepEqual(saidBy(message), CONTENT)
    assert.deepEqual([message.model, message.stop_reason, message.type], [model, 'tool_use', 'message'])
    assert.deepEqual(
      [message.usage.input_tokens, message.usage.cache_read_input_tokens, message.usage.output_tokens],
      [6, 4, 5],
    )
    const roles = scene.upstream.last.json.messages.map(({ role }: { role: string }) => role)
    assert.deepEqual(roles, ['system', 'user', 'assistant', 'tool'])
    const streaming = sdk.messages.stream(params(model))
    const texts: string[] = []
    streaming.on('text', (text) => texts.push(text))
    const final = await streaming.finalMessage()
    assert.deepEqual([saidBy(final), texts.join('')], [CONTENT, 'Hello, Wörld.'])
    assert.deepEqual([final.model, final.stop_reason, final.usage.output_tokens], [model, 'tool_use', 5])
  })

  test('are counted by estimate, and nobody is asked', async () => {
    const model = await served(chat, 'OPENAI_COMPATIBLE')
    const before = scene.upstream.requests.length
    const answer = await post('/v1/messages/count_tokens', { model, messages: [USER], tools: [TOOL] })
    assert.equal(answer.status, 200)
    const { input_tokens: tokens } = (await answer.json()) as { input_tokens: number }
    assert.ok(tokens > 10 && tokens < 100, String(tokens))
    assert.equal(answer.headers.get('x-millrace-estimated'), 'true')
    assert.equal(scene.upstream.requests.length, before)
    const record = await scene.gateway.record(answer)
    assert.deepEqual([record.status, record.usage.inputTokens], ['SUCCESS', 0])
  })

  test('that it cannot be asked are refused, and name what it is', async () => {
    const model = await served(chat, 'OPENAI_COMPATIBLE')
    const answer = await post('/v1/messages', { ...params(model), container: 'c' })
    assert.equal(answer.status, 400)
    assert.match(await answer.text(), /"invalid_request_error","message":"container: /)
    const role = await post('/v1/messages', { ...params(model), messages: [{ role: 'tool', content: 'x' }] })
    assert.match(await role.text(), /messages\[0\]\.role/)
  })
})

describe('Chat completions asked of Anthropic', () => {
  test('are answered as the SDK expects, whole and streamed', async () => {
    const model = await served(anthropic)
    const openai = scene.gateway.client()
    const body = { model, messages: [{ role: 'developer' as const, content: 'Be short.' }, USER] }
    const answer = await openai.chat.completions.create(body)
    const [choice] = answer.choices
    assert.deepEqual([choice!.message.content, choice!.finish_reason], ['Hello, Wörld.', 'tool_calls'])
    const [call] = choice!.message.tool_calls!
    assert.deepEqual(call?.type === 'function' && JSON.parse(call.function.arguments), { city: 'Köln', n: 1.5 })
    assert.deepEqual([answer.usage!.prompt_tokens, answer.usage!.completion_tokens], [16, 20])
    const sent = scene.upstream.last
    assert.deepEqual(
      [sent.url, sent.json.max_tokens, sent.headers['anthropic-version']],
      ['/v1/messages', 64_000, '2023-06-01'],
    )
    assert.deepEqual(sent.json.system, [{ type: 'text', text: 'Be short.' }])
    const final = await openai.chat.completions.stream(body).finalChatCompletion()
    assert.equal(final.choices[0]!.message.content, 'Hello, Wörld.')
    assert.equal(final.choices[0]!.finish_reason, 'tool_calls')
  })

  test('tell what Anthropic was not told, and how it refuses', async () => {
    const model = await served(anthropic)
    const answer = await scene.gateway.chat(model, { seed: 1 })
    assert.equal(answer.headers.get('x-millrace-dropped-params'), 'seed')
    const error = { type: 'error', error: { type: 'invalid_request_error', message: 'Too long.' } }
    const refusing = await served(raw(JSON.stringify(error), { status: 413 }))
    const refused = await scene.gateway.chat(refusing)
    const body = (await refused.json()) as { error: { message: string; type: string; code: string | null } }
    assert.deepEqual([refused.status, body.error.message, body.error.type], [413, 'Too long.', 'invalid_request_error'])
  })
})
