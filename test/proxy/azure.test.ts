/** OpenAI's models at Azure: where each endpoint is asked, with which key, and what of Azure's own passes. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { addCredential } from '../helpers/configuration.ts'
import { UPSTREAM_KEY } from '../helpers/gateway.ts'
import { send } from '../helpers/http.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours, completion } from '../helpers/upstream/behaviours.ts'

const MODEL = 'gpt-x'
const VERSION = '2024-10-21'
/** That has Responses. */
const LATER = '2025-04-01-preview'
const PROJECT_KEY = 'sk-project-0123456789abcdef'
const messages = [{ role: 'user' as const, content: 'Say hello.' }]

const scene = useScene({}, async ({ gateway, upstream }) => {
  const resource = `http://127.0.0.1:${upstream.port}`
  for (const [alias, baseUrl, settings] of [
    ['v1', resource, {}],
    ['v1-whole', `${resource}/openai/v1`, {}],
    ['versioned', `${resource}/openai`, { apiVersion: VERSION }],
    ['deployment', `${resource}/openai/deployments/own`, { apiVersion: VERSION }],
    ['later', resource, { apiVersion: LATER }],
    ['later-by-responses', resource, { apiVersion: LATER, responsesModels: [MODEL] }],
    ['versioned-by-responses', resource, { apiVersion: VERSION, responsesModels: [MODEL] }],
    ['later-deployment', `${resource}/openai/deployments/${MODEL}`, { apiVersion: LATER }],
    ['later-other-deployment', `${resource}/openai/deployments/own`, { apiVersion: LATER, responsesModels: [MODEL] }],
  ] as const) {
    const provider = await gateway.addProvider(baseUrl, { name: alias, kind: 'AZURE_OPENAI', settings })
    await gateway.addAlias(alias, [{ provider, providerModel: MODEL }], { retry: { maxAttempts: 1 } })
  }
  const settings = { apiVersion: LATER, passthrough: { endpoints: ['/v1/responses/*'] } }
  const kept = await gateway.addProvider(resource, { kind: 'AZURE_OPENAI', apiKeys: [], settings })
  await addCredential(gateway.control, kept, PROJECT_KEY, await gateway.projectId())
  await gateway.addAlias('kept', [{ provider: kept, providerModel: MODEL }])
})

const post = (path: string, body: object) =>
  send(`${scene.gateway.proxy.url}${path}`, {
    headers: { authorization: `Bearer ${scene.gateway.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

describe('where it is asked', () => {
  for (const [alias, path, body, url] of [
    ['v1', '/v1/chat/completions', { messages }, '/openai/v1/chat/completions'],
    ['v1-whole', '/v1/chat/completions', { messages }, '/openai/v1/chat/completions'],
    ['v1', '/v1/embeddings', { input: 'a' }, '/openai/v1/embeddings'],
    ['v1', '/v1/completions', { prompt: 'a' }, '/openai/v1/completions'],
    ['v1', '/v1/responses', { input: 'a' }, '/openai/v1/responses'],
    ['v1', '/v1/images/generations', { prompt: 'a' }, '/openai/v1/images/generations'],
    [
      'versioned',
      '/v1/chat/completions',
      { messages },
      `/openai/deployments/${MODEL}/chat/completions?api-version=${VERSION}`,
    ],
    ['versioned', '/v1/embeddings', { input: 'a' }, `/openai/deployments/${MODEL}/embeddings?api-version=${VERSION}`],
    [
      'versioned',
      '/v1/completions',
      { prompt: 'a' },
      `/openai/deployments/${MODEL}/completions?api-version=${VERSION}`,
    ],
    [
      'versioned',
      '/v1/responses',
      { input: 'a' },
      `/openai/deployments/${MODEL}/chat/completions?api-version=${VERSION}`,
    ],
    [
      'versioned',
      '/v1/images/generations',
      { prompt: 'a' },
      `/openai/deployments/${MODEL}/images/generations?api-version=${VERSION}`,
    ],
    [
      'deployment',
      '/v1/chat/completions',
      { messages },
      `/openai/deployments/own/chat/completions?api-version=${VERSION}`,
    ],
    ['later', '/v1/responses', { input: 'a' }, `/openai/responses?api-version=${LATER}`],
    [
      'later',
      '/v1/chat/completions',
      { messages },
      `/openai/deployments/${MODEL}/chat/completions?api-version=${LATER}`,
    ],
    ['later', '/v1/embeddings', { input: 'a' }, `/openai/deployments/${MODEL}/embeddings?api-version=${LATER}`],
    ['later-by-responses', '/v1/chat/completions', { messages }, `/openai/responses?api-version=${LATER}`],
    ['later-by-responses', '/v1/messages', { max_tokens: 9, messages }, `/openai/responses?api-version=${LATER}`],
    [
      'later-by-responses',
      '/v1/embeddings',
      { input: 'a' },
      `/openai/deployments/${MODEL}/embeddings?api-version=${LATER}`,
    ],
    [
      'versioned-by-responses',
      '/v1/chat/completions',
      { messages },
      `/openai/deployments/${MODEL}/chat/completions?api-version=${VERSION}`,
    ],
    ['later-deployment', '/v1/responses', { input: 'a' }, `/openai/responses?api-version=${LATER}`],
    [
      'later-other-deployment',
      '/v1/responses',
      { input: 'a' },
      `/openai/deployments/own/chat/completions?api-version=${LATER}`,
    ],
    [
      'later-other-deployment',
      '/v1/chat/completions',
      { messages },
      `/openai/deployments/own/chat/completions?api-version=${LATER}`,
    ],
  ] as const) {
    test(`${path} by ${alias}`, async () => {
      const asked = scene.upstream.requests.length
      await post(path, { model: alias, ...body })
      assert.equal(scene.upstream.requests.length, asked + 1)
      const { last } = scene.upstream
      assert.equal(last.url, url)
      assert.equal(last.headers['api-key'], UPSTREAM_KEY)
      assert.equal(last.headers['authorization'], undefined)
      assert.equal(last.json.model, MODEL)
    })
  }
})

describe('a response', () => {
  const RESPONSE = {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    status: 'completed',
    model: MODEL,
    output: [
      {
        id: 'msg_1',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'Hello.', annotations: [] }],
      },
    ],
    usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
  }

  test('comes as it is, and is got again where it is kept', async () => {
    const body = { input: 'a', store: true, background: false }
    scene.upstream.next(behaviours.raw(JSON.stringify(RESPONSE)))
    const { text } = await post('/v1/responses', { model: 'kept', ...body })
    assert.deepEqual(JSON.parse(text), { ...RESPONSE, model: 'kept' })
    assert.equal(scene.upstream.last.url, `/openai/responses?api-version=${LATER}`)
    assert.deepEqual(scene.upstream.last.json, { model: MODEL, ...body })
    scene.upstream.next(behaviours.raw(JSON.stringify(RESPONSE)))
    const again = await send(`${scene.gateway.proxy.url}/v1/responses/resp_1?include=usage`, {
      method: 'GET',
      headers: { authorization: `Bearer ${scene.gateway.token}` },
    })
    assert.deepEqual(JSON.parse(again.text), RESPONSE)
    assert.equal(scene.upstream.last.url, `/openai/responses/resp_1?include=usage&api-version=${LATER}`)
    assert.equal(scene.upstream.last.headers['api-key'], PROJECT_KEY)
  })

  test('answers who chats with a model that has no other API', async () => {
    scene.upstream.next(behaviours.raw(JSON.stringify(RESPONSE)))
    const { text } = await post('/v1/chat/completions', { model: 'later-by-responses', messages })
    assert.equal(JSON.parse(text).choices[0].message.content, 'Hello.')
    assert.equal(scene.upstream.last.json.model, MODEL)
  })
})

describe('what it says beyond OpenAI', () => {
  const filtered = { hate: { filtered: false, severity: 'safe' } }

  test('passes in a stream', async () => {
    const first = {
      choices: [],
      created: 0,
      id: '',
      model: '',
      object: '',
      prompt_filter_results: [{ prompt_index: 0 }],
    }
    const chunk = (delta: object, finish: string | null): object => ({
      choices: [{ content_filter_results: filtered, delta, finish_reason: finish, index: 0, logprobs: null }],
      created: 1,
      id: 'c',
      model: 'gpt-x-2025',
      object: 'chat.completion.chunk',
    })
    const all = [
      first,
      chunk({ role: 'assistant', content: '' }, null),
      chunk({ content: 'hi' }, null),
      chunk({}, 'stop'),
    ]
    for (const alias of ['v1', 'versioned']) {
      scene.upstream.next(behaviours.events(all.map((each) => JSON.stringify(each))))
      const { text } = await post('/v1/chat/completions', { model: alias, messages, stream: true })
      const data = text
        .split('\n\n')
        .flatMap((event) => (event.startsWith('data: {') ? [JSON.parse(event.slice(6))] : []))
      assert.deepEqual(
        data,
        all.map((each) => ({ ...each, model: alias })),
      )
      assert.ok(text.endsWith('data: [DONE]\n\n'))
    }
  })

  test('harms no client of another API', async () => {
    const answer = {
      ...completion(MODEL),
      prompt_filter_results: [{ prompt_index: 0, content_filter_results: filtered }],
    }
    scene.upstream.next(behaviours.raw(JSON.stringify(answer)))
    const { status, text } = await post('/v1/messages', { model: 'versioned', max_tokens: 9, messages })
    assert.equal(status, 200)
    assert.equal(JSON.parse(text).content[0].text, 'Hello from the upstream.')
    assert.equal(scene.upstream.last.url, `/openai/deployments/${MODEL}/chat/completions?api-version=${VERSION}`)
  })
})
