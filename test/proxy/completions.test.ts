/** `/v1/completions`: untouched where a provider has it, and by chat where it has not. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { send, type Answer } from '../helpers/http.ts'
import { assertDescribed, openApiMissing } from '../helpers/openapi.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours, USAGE, WORDS } from '../helpers/upstream/behaviours.ts'

const USED = { prompt_tokens: 14, completion_tokens: 3, total_tokens: 17 }
const BASE = { id: 'cmpl-1', object: 'text_completion', created: 1_770_934_485, model: 'm-2025' }

const post = (body: object): Promise<Answer> =>
  send(`${scene.gateway.baseUrl}/completions`, {
    headers: { authorization: `Bearer ${scene.gateway.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

const dataOf = (text: string): any[] =>
  text.split('\n\n').flatMap((event) => (event.startsWith('data: {') ? [JSON.parse(event.slice(6))] : []))

describe('a provider that has it', () => {
  const chunk = (text: string, reason: string | null): object => ({
    ...BASE,
    choices: [{ text, index: 0, logprobs: null, finish_reason: reason }],
    usage: null,
  })

  test('answers as it does, but for the model', async () => {
    const answer = `{"id":"cmpl-1", "object":"text_completion","created":1,"model":"m-2025","choices":[{"text":"é","index":0,"logprobs":null,"finish_reason":"length"}],"usage":${JSON.stringify(USED)},"x":1.0}`
    scene.upstream.next(behaviours.raw(answer))
    const { text, headers } = await post({ model: 'native', prompt: ['a', 'b'], echo: true, best_of: 2 })
    assert.equal(text, answer.replace('m-2025', 'native'))
    assert.deepEqual(scene.upstream.last.json, { model: 'm', prompt: ['a', 'b'], echo: true, best_of: 2 })
    const { usage } = await scene.gateway.record(String(headers['x-request-id']))
    assert.deepEqual([usage.inputTokens, usage.outputTokens], [14, 3])
  })

  test('streams, and its usage stays with the gateway unless it was asked for', async () => {
    const all = [chunk('a', null), chunk('b', 'stop'), { ...BASE, choices: [], usage: USED }]
    for (const asked of [false, true]) {
      scene.upstream.next(behaviours.events(all.map((each) => JSON.stringify(each))))
      const more = asked ? { stream_options: { include_usage: true } } : {}
      const { text } = await post({ model: 'native', prompt: 'a', stream: true, ...more })
      const told = dataOf(text)
      assert.deepEqual(
        told,
        (asked ? all : all.slice(0, 2)).map((each) => ({ ...each, model: 'native' })),
      )
      assert.ok(text.endsWith('data: [DONE]\n\n'))
      assert.deepEqual(scene.upstream.last.json.stream_options, { include_usage: true })
    }
  })
})

describe('a provider that has only chat', () => {
  test('is asked so', { skip: openApiMissing }, async () => {
    const { text, status } = await post({
      model: 'by-chat',
      prompt: 'Say hello.',
      max_tokens: 9,
      stop: 'x',
      best_of: 1,
    })
    assert.equal(status, 200)
    const { url, json } = scene.upstream.last
    assert.equal(url, '/v1/chat/completions')
    assert.deepEqual(json, {
      model: 'm',
      messages: [{ role: 'user', content: 'Say hello.' }],
      max_completion_tokens: 9,
      stop: ['x'],
    })
    const answer = JSON.parse(text)
    assertDescribed('CreateCompletionResponse', answer)
    assert.equal(answer.model, 'by-chat')
    assert.equal(answer.choices[0].text, WORDS.join(''))
    assert.equal(answer.usage.prompt_tokens, USAGE.prompt_tokens)
  })

  test('streams so', async () => {
    const { text } = await post({
      model: 'by-chat',
      prompt: 'a',
      stream: true,
      stream_options: { include_usage: true },
    })
    const told = dataOf(text)
    assert.equal(told.map(({ choices }) => choices[0]?.text ?? '').join(''), WORDS.join(''))
    assert.equal(told.at(-2).choices[0].finish_reason, 'stop')
    assert.equal(told.at(-1).usage.total_tokens, USAGE.total_tokens)
    assert.ok(told.every(({ object, model }) => object === 'text_completion' && model === 'by-chat'))
    assert.ok(text.endsWith('data: [DONE]\n\n'))
  })

  for (const [param, body] of [
    ['prompt', { prompt: [1, 2] }],
    ['prompt', { prompt: ['a', 'b'] }],
    ['suffix', { prompt: 'a', suffix: 'b' }],
    ['echo', { prompt: 'a', echo: true }],
    ['best_of', { prompt: 'a', best_of: 3 }],
    ['logprobs', { prompt: 'a', logprobs: 2 }],
  ] as const) {
    test(`cannot be asked for ${JSON.stringify(body)}`, async () => {
      const asked = scene.upstream.requests.length
      const { status, text } = await post({ model: 'by-chat', ...body })
      assert.equal(status, 400)
      const { error } = JSON.parse(text)
      assert.deepEqual([error.code, error.param], ['unsupported_endpoint', param])
      assert.equal(scene.upstream.requests.length, asked)
    })
  }
})

test('without a prompt nothing can be asked', async () => {
  const { status, text } = await post({ model: 'by-chat' })
  assert.deepEqual([status, JSON.parse(text).error.param], [400, 'prompt'])
})

test('the official SDK gets along with it', async () => {
  const client = scene.gateway.client()
  const whole = await client.completions.create({ model: 'by-chat', prompt: 'a' })
  assert.equal(whole.choices[0]!.text, WORDS.join(''))
  let text = ''
  for await (const { choices } of await client.completions.create({ model: 'by-chat', prompt: 'a', stream: true })) {
    text += choices[0]!.text
  }
  assert.equal(text, WORDS.join(''))
})

const scene = useScene({}, async ({ gateway, upstream }) => {
  for (const [alias, settings] of [
    ['native', {}],
    ['by-chat', { preset: 'groq' }],
  ] as const) {
    const provider = await gateway.addProvider(upstream.baseUrl, { settings })
    await gateway.addAlias(alias, [{ provider, providerModel: 'm' }])
  }
})
