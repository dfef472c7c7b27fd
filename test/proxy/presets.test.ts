/** Providers that are known by name: what they are asked for, and how requests are put that they would refuse. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { PRESETS, type PresetName } from '@millrace/shared'

import { QUICK_RETRY } from '../helpers/configuration.ts'
import { UPSTREAM_KEY } from '../helpers/gateway.ts'
import { send } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { refuse } from '../helpers/upstream/failures.ts'

const messages = [{ role: 'user' as const, content: 'Say hello.' }]
const FALLBACK = 'openai-then-mistral'
const NAMES = Object.keys(PRESETS) as PresetName[]

const post = (path: string, body: object) =>
  send(`${scene.gateway.proxy.url}${path}`, {
    headers: { authorization: `Bearer ${scene.gateway.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

describe('each of them', () => {
  for (const preset of NAMES) {
    test(`${preset} answers, whatever it is asked by`, async () => {
      for (const [path, body] of [
        ['/v1/chat/completions', { messages }],
        ['/v1/completions', { prompt: 'a', max_tokens: 9 }],
        ['/v1/messages', { messages, max_tokens: 9 }],
      ] as const) {
        const { status, text } = await post(path, { model: preset, ...body })
        assert.equal(status, 200, text)
        const { last } = scene.upstream
        const native = PRESETS[preset].endpoints.some((endpoint) => endpoint === path)
        assert.equal(last.url, native ? path : '/v1/chat/completions')
        assert.equal(last.headers['authorization'], `Bearer ${UPSTREAM_KEY}`)
      }
    })

    test(`${preset} has an address`, async () => {
      const made = await scene.gateway.control.gql<{ createProvider: { baseUrl: string } }>(
        'mutation ($input: CreateProviderInput!) { createProvider(input: $input) { baseUrl } }',
        { input: { name: `${preset}-at-home`, kind: 'OPENAI_COMPATIBLE', settings: { preset } } },
      )
      assert.equal(made.createProvider.baseUrl, PRESETS[preset].baseUrl)
    })
  }
})

describe('Mistral', () => {
  test('gets other names, and not what it refuses', async () => {
    const { headers } = await post('/v1/chat/completions', {
      model: 'mistral',
      user: 'u',
      seed: 5,
      max_completion_tokens: 7,
      logprobs: true,
      messages,
    })
    assert.deepEqual(scene.upstream.last.json, { model: 'm', random_seed: 5, max_tokens: 7, messages })
    assert.equal(headers['x-millrace-dropped-params'], 'user, logprobs')
  })

  test('is not asked for the usage that it tells anyway', async () => {
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
    const chunk = (delta: object, more: object = {}): string =>
      JSON.stringify({
        id: 'c',
        object: 'chat.completion.chunk',
        created: 1,
        model: 'm',
        choices: [{ index: 0, delta, ...more }],
      })
    const all = [
      chunk({ content: 'hi' }),
      chunk({ content: '' }, { finish_reason: 'stop' }).replace(/}$/, `,"usage":${JSON.stringify(usage)}}`),
    ]
    scene.upstream.next(behaviours.events(all))
    const { text, headers } = await post('/v1/chat/completions', { model: 'mistral', stream: true, messages })
    assert.equal(scene.upstream.last.json.stream_options, undefined)
    assert.equal(headers['x-millrace-dropped-params'], undefined)
    assert.ok(text.includes(JSON.stringify(usage)))

    scene.upstream.next(behaviours.events(all))
    const told = await post('/v1/messages', { model: 'mistral', stream: true, max_tokens: 9, messages })
    assert.match(told.text, /event: message_stop/)
    assert.equal(scene.upstream.last.json.stream_options, undefined)
    assert.match(told.text, /"output_tokens":2/)
  })

  test('gets ids of calls of its own form, and no word of the user’s right after a tool’s', async () => {
    const id = 'toolu_01A09q90qw90lq917835lq9'
    await post('/v1/messages', {
      model: 'mistral',
      max_tokens: 9,
      tools: [{ name: 'f', input_schema: { type: 'object' } }],
      messages: [
        ...messages,
        { role: 'assistant', content: [{ type: 'tool_use', id, name: 'f', input: {} }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'r' }] },
        { role: 'user', content: 'Go on.' },
      ],
    })
    const said: { role: string }[] = scene.upstream.last.json.messages
    assert.deepEqual(
      said.map(({ role }) => role),
      ['user', 'assistant', 'tool', 'assistant', 'user'],
    )
    const [, called, result] = scene.upstream.last.json.messages
    assert.match(called.tool_calls[0].id, /^[A-Za-z0-9]{9}$/)
    assert.equal(result.tool_call_id, called.tool_calls[0].id)
  })

  test('takes over a conversation that began at OpenAI', async () => {
    const ids = ['call_0123456789abcdefghijklmn', 'call_nmlkjihgfedcba9876543210']
    const call = (id: string): object => ({ id, type: 'function', function: { name: 'f', arguments: '{"n": 1.0}' } })
    const conversation = (
      developer: string,
      names: object,
      more: object,
      [first, second]: readonly string[],
      between: object[],
    ) => [
      { role: developer, content: 'Be short.' },
      { role: 'user', content: 'é', ...names },
      { role: 'assistant', content: null, tool_calls: [call(first!), call(second!)], ...more },
      { role: 'tool', tool_call_id: second, name: 'f', content: 'r' },
      { role: 'tool', tool_call_id: first, content: 'r' },
      ...between,
      { role: 'user', content: 'Go on.' },
    ]
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }]
    const said = conversation('developer', { name: 'ann' }, { refusal: null, annotations: [] }, ids, [])
    scene.upstream.on('away', refuse(503))
    const asked = scene.upstream.requests.length
    const { status, text, headers } = await post('/v1/chat/completions', { model: FALLBACK, messages: said, tools })
    assert.equal(status, 200, text)
    assert.equal(headers['x-millrace-dropped-params'], undefined)
    const [atOpenAi, atMistral] = scene.upstream.requests.slice(asked).map(({ json }) => json)
    assert.deepEqual(atOpenAi, { model: 'away', messages: said, tools })
    const given = atMistral.messages[2].tool_calls.map(({ id }: { id: string }) => id)
    for (const id of given) assert.match(id, /^[A-Za-z0-9]{9}$/)
    assert.notEqual(given[0], given[1])
    const between = [{ role: 'assistant', content: 'I have what the tools answered.' }]
    assert.deepEqual(atMistral, { model: 'm', messages: conversation('system', {}, {}, given, between), tools })
  })

  test('gets what it takes byte for byte', async () => {
    const body = `{"model":"mistral","messages":[{"role":"system","content":"a" },
      {"role":"tool","name":"f","tool_call_id":"aB3456789","content":"\\u0061"}],"temperature":1.0}`
    await scene.gateway.post('/v1/chat/completions', body)
    assert.equal(scene.upstream.last.body.toString(), body.replace('"mistral"', '"m"'))
  })
})

test('what DeepSeek thought goes back to who takes it', async () => {
  const said = [...messages, { role: 'assistant', content: 'Hello.', reasoning_content: 'Short.' }, ...messages]
  const { reasoning_content: _, ...plain } = said[1] as Record<string, string>
  for (const [model, expected] of [
    ['deepseek', said[1]],
    ['vllm', said[1]],
    ['mistral', plain],
    ['groq', plain],
    ['cerebras', plain],
  ] as const) {
    await post('/v1/chat/completions', { model, messages: said })
    assert.deepEqual(scene.upstream.last.json.messages[1], expected, model)
  }
})

test('messages keep their roles and names where nothing is known of a server, and where it takes them', async () => {
  const said = [
    { role: 'developer', name: 'a', content: 'a' },
    { role: 'user', name: 'b', content: 'b' },
  ]
  const [{ name: _, ...unnamed }, user] = said as [(typeof said)[0], (typeof said)[0]]
  for (const [model, expected] of [
    ['nobody', said],
    ['cohere', said],
    ['together', [{ ...said[0], role: 'system' }, user]],
    ['xai', [{ ...unnamed, role: 'system' }, user]],
  ] as const) {
    await post('/v1/chat/completions', { model, messages: said })
    assert.deepEqual(scene.upstream.last.json.messages, expected, model)
  }
})

test('Groq gets no probabilities to tell', async () => {
  const { headers } = await post('/v1/chat/completions', { model: 'groq', logprobs: true, top_logprobs: 2, messages })
  assert.deepEqual(scene.upstream.last.json, { model: 'm', messages })
  assert.equal(headers['x-millrace-dropped-params'], 'logprobs, top_logprobs')
})

test('Perplexity’s streams end without saying so', async () => {
  const chunk = (content: string, reason: string | null): string =>
    JSON.stringify({
      id: 'c',
      model: 'm',
      created: 1,
      object: 'chat.completion.chunk',
      citations: ['https://x.example'],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
      choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason: reason }],
    })
  const whole = [chunk('a', null), chunk('b', 'stop')]
  for (const [path, end] of [
    ['/v1/chat/completions', 'data: [DONE]'],
    ['/v1/messages', '"type":"message_stop"'],
  ] as const) {
    const body = { model: 'perplexity', stream: true, max_tokens: 9, messages }
    scene.upstream.next(behaviours.events(whole, { done: null }))
    const { text } = await post(path, body)
    assert.ok(text.includes(end) && !text.includes('"error"'), text)
    scene.upstream.next(behaviours.events(whole.slice(0, 1), { done: null }))
    const cut = await post(path, body)
    assert.ok(!cut.text.includes(end) && cut.text.includes('"error"'), cut.text)
  }
})

test('settings say what a preset does not', async () => {
  const body = { input: 'a', store: false }
  await post('/v1/responses', { model: 'groq', ...body })
  assert.equal(scene.upstream.last.url, '/v1/responses')
  await post('/v1/responses', { model: 'groq-of-old', ...body })
  assert.equal(scene.upstream.last.url, '/v1/chat/completions')
})

const scene = useScene({}, async ({ gateway, upstream }) => {
  for (const preset of NAMES) {
    const provider = await gateway.addProvider(upstream.baseUrl, { name: preset, settings: { preset } })
    await gateway.addAlias(preset, [{ provider, providerModel: 'm' }])
  }
  const nobody = await gateway.addProvider(upstream.baseUrl, { name: 'nobody' })
  await gateway.addAlias('nobody', [{ provider: nobody, providerModel: 'm' }])
  const openai = await gateway.addProvider(upstream.baseUrl, { name: 'openai', kind: 'OPENAI' })
  const mistral = await gateway.addProvider(upstream.baseUrl, { name: 'mistral-too', settings: { preset: 'mistral' } })
  const routes = [
    { provider: openai, providerModel: 'away', priority: 0 },
    { provider: mistral, providerModel: 'm', priority: 1 },
  ]
  await gateway.addAlias(FALLBACK, routes, { retry: { ...QUICK_RETRY, maxAttempts: 2 } })
  const settings = { preset: 'groq', endpoints: ['/v1/chat/completions'] }
  const provider = await gateway.addProvider(upstream.baseUrl, { name: 'groq-of-old', settings })
  await gateway.addAlias('groq-of-old', [{ provider, providerModel: 'm' }])
})
