/** Bedrock behind OpenAI's and Anthropic's endpoints: how it is asked, signed and not, and how it refuses. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import Anthropic from '@anthropic-ai/sdk'
import type OpenAI from 'openai'

import { addBedrock, ANSWER, API_KEY, FRAMES, KEY, PATH, TEMPORARY } from '../helpers/bedrock.ts'
import { useScene } from '../helpers/scene.ts'
import { signatureFault } from '../helpers/upstream/aws-signature.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { binaryEvents, eventFrame } from '../helpers/upstream/event-stream.ts'

let client: OpenAI
const scene = useScene({}, async (made) => {
  client = made.gateway.client()
  const { accessKeyId, secretAccessKey, sessionToken } = TEMPORARY
  await addBedrock(made, 'by-key', API_KEY)
  // Each with a budget of retries of its own.
  await addBedrock(made, 'refused', API_KEY)
  await addBedrock(made, 'signed', `${accessKeyId}:${secretAccessKey}`)
  await addBedrock(made, 'temporary', JSON.stringify({ accessKeyId, secretAccessKey, sessionToken }))
  await addBedrock(made, 'temporary-line', `${accessKeyId}:${secretAccessKey}:${sessionToken}`)
  await addBedrock(made, 'titan', API_KEY, 'amazon.titan-embed-text-v2:0')
  await addBedrock(made, 'cohere', API_KEY, 'cohere.embed-multilingual-v3')
})
const messages = [{ role: 'user' as const, content: 'Say hello: Grüße 😀' }]

describe('requests', () => {
  test('by an API key', async () => {
    scene.upstream.next(behaviours.raw(ANSWER, { headers: { 'x-amzn-requestid': 'aws-1' } }))
    const { data, response } = await client.chat.completions
      .create({ model: 'by-key', messages, max_completion_tokens: 9, logit_bias: { 5: 1 } })
      .withResponse()
    const { last } = scene.upstream
    assert.deepEqual([last.method, last.url], ['POST', `${PATH}/converse`])
    assert.equal(last.headers['authorization'], `Bearer ${API_KEY}`)
    assert.equal(last.headers['x-amz-date'], undefined)
    assert.deepEqual(last.json, {
      messages: [{ role: 'user', content: [{ text: messages[0]!.content }] }],
      inferenceConfig: { maxTokens: 9 },
    })
    assert.equal(data.model, 'by-key')
    assert.equal(data.choices[0]!.message.content, 'Grüße, 😀')
    assert.deepEqual([data.usage!.prompt_tokens, data.usage!.completion_tokens], [12, 3])
    assert.equal(data.usage!.prompt_tokens_details!.cached_tokens, 7)
    assert.equal(response.headers.get('x-millrace-upstream-request-id'), 'aws-1')
    assert.equal(response.headers.get('x-millrace-dropped-params'), 'logit_bias')
    const { usage } = await scene.gateway.record(response.headers.get('x-request-id')!)
    assert.deepEqual([usage.inputTokens, usage.cachedInputTokens, usage.outputTokens], [12, 7, 3])
  })

  for (const [alias, key] of [
    ['signed', KEY],
    ['temporary', TEMPORARY],
    ['temporary-line', TEMPORARY],
  ] as const) {
    test(`${alias}, as AWS checks it`, async () => {
      scene.upstream.next(behaviours.raw(ANSWER))
      await client.chat.completions.create({ model: alias, messages })
      assert.equal(signatureFault(scene.upstream.last, key), null)
      assert.equal(signatureFault(scene.upstream.last, { ...key, secretAccessKey: 'another' }), 'another signature')
      scene.upstream.next(binaryEvents(FRAMES))
      await Array.fromAsync(await client.chat.completions.create({ model: alias, messages, stream: true }))
      assert.equal(scene.upstream.last.url, `${PATH}/converse-stream`)
      assert.equal(signatureFault(scene.upstream.last, key), null)
    })
  }

  test('each attempt is signed by itself', async () => {
    scene.upstream.next(behaviours.unavailable(), behaviours.raw(ANSWER))
    await client.chat.completions.create({ model: 'signed', messages })
    for (const seen of scene.upstream.requests.slice(-2)) assert.equal(signatureFault(seen, KEY), null)
  })

  test('what cannot be said is refused before it is sent', async () => {
    const count = scene.upstream.requests.length
    const image = { type: 'image_url' as const, image_url: { url: 'https://x.example/a.png' } }
    await assert.rejects(
      client.chat.completions.create({ model: 'by-key', messages: [{ role: 'user', content: [image] }] }),
      { status: 400, code: 'unsupported_endpoint', param: 'messages' },
    )
    assert.equal(scene.upstream.requests.length, count)
  })
})

describe('refusals', () => {
  const refusal = (status: number, type: string, message: string) =>
    behaviours.raw(JSON.stringify({ message }), { status, headers: { 'x-amzn-errortype': `${type}:http://x/` } })

  test("are said in the client's words, AWS's name beside", async () => {
    scene.upstream.next(refusal(400, 'ValidationException', 'The model returned: too long'))
    const error = await client.chat.completions.create({ model: 'refused', messages }).then(
      () => assert.fail('it is refused'),
      (refused: InstanceType<typeof OpenAI.APIError>) => refused,
    )
    assert.equal(error.status, 400)
    assert.match(error.message, /too long/)
    assert.equal((error.error as { provider_type?: string }).provider_type, 'ValidationException')
  })

  test('are tried again where that may help', async () => {
    for (const [status, type] of [
      [408, 'ModelTimeoutException'],
      [424, 'ModelErrorException'],
      [429, 'ThrottlingException'],
      [503, 'ServiceUnavailableException'],
      [400, 'ServiceQuotaExceededException'],
    ] as const) {
      scene.upstream.next(refusal(status, type, 'not now'), behaviours.raw(ANSWER))
      const answer = await client.chat.completions.create({ model: 'refused', messages })
      assert.equal(answer.choices[0]!.message.content, 'Grüße, 😀', type)
    }
  })

  test('of a key go to no client, nor does a secret that they repeat', async () => {
    const said = `${KEY.secretAccessKey} is not known, nor is ${encodeURIComponent(KEY.secretAccessKey)}`
    scene.upstream.next(refusal(400, 'UnrecognizedClientException', said))
    const answer = await scene.chat({ model: 'signed', messages })
    assert.equal(answer.status, 502, answer.text)
    assert.equal(JSON.parse(answer.text).error.code, 'upstream_credentials_exhausted')
    scene.upstream.next(refusal(400, 'ValidationException', said))
    const shown = await scene.chat({ model: 'signed', messages })
    assert.equal(shown.status, 400, shown.text)
    assert.match(shown.text, /\[redacted\] is not known, nor is \[redacted\]/)
    for (const one of [answer, shown]) {
      const record = await scene.gateway.record(String(one.headers['x-request-id']))
      assert.ok(!JSON.stringify(record).includes('K7MDENG'), 'nor does a record have it')
    }
    const { stdout, stderr } = scene.gateway.proxy.output()
    assert.ok(!`${stdout}${stderr}`.includes('K7MDENG'), 'nor does the log')
  })
})

describe('embeddings', () => {
  test('of one text', async () => {
    scene.upstream.next(behaviours.raw('{"embedding":[0.5,-0.25],"inputTextTokenCount":4}'))
    const { data, usage } = await client.embeddings.create({ model: 'titan', input: 'Hello', encoding_format: 'float' })
    assert.equal(scene.upstream.last.url, '/v1/model/amazon.titan-embed-text-v2%3A0/invoke')
    assert.deepEqual(scene.upstream.last.json, { inputText: 'Hello' })
    assert.deepEqual([data[0]!.embedding, usage.prompt_tokens], [[0.5, -0.25], 4])
  })

  test("whose tokens only a header tells, as Cohere's", async () => {
    const headers = { 'x-amzn-bedrock-input-token-count': '6' }
    scene.upstream.next(behaviours.raw('{"embeddings":{"float":[[0.5],[1]]}}', { headers }))
    const { data, response } = await client.embeddings
      .create({ model: 'cohere', input: ['a', 'b'], encoding_format: 'float' })
      .withResponse()
    assert.deepEqual([data.data.length, data.usage.prompt_tokens], [2, 6])
    const { usage } = await scene.gateway.record(response.headers.get('x-request-id')!)
    assert.deepEqual([usage.inputTokens, usage.source], [6, 'PROVIDER'])
  })

  test('of several are refused, where a model takes but one', async () => {
    await assert.rejects(client.embeddings.create({ model: 'titan', input: ['a', 'b'] }), {
      status: 400,
      code: 'unsupported_endpoint',
      param: 'input',
    })
  })
})

describe("Anthropic's endpoints", () => {
  test("thoughts come with Bedrock's signature, and go back with it", async () => {
    scene.upstream.next(
      binaryEvents([
        eventFrame('contentBlockDelta', '{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}'),
        eventFrame('contentBlockDelta', '{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"SIG"}}}'),
        ...FRAMES.slice(1).map((frame) => Buffer.from(frame)),
      ]),
      behaviours.raw(ANSWER),
    )
    const anthropic = new Anthropic({ baseURL: scene.gateway.proxy.url, apiKey: scene.gateway.token, maxRetries: 0 })
    const asked = { model: 'signed', max_tokens: 4_000, thinking: { type: 'enabled' as const, budget_tokens: 2_000 } }
    const first = await anthropic.messages.stream({ ...asked, messages }).finalMessage()
    assert.deepEqual(
      first.content.map((block) => (block.type === 'thinking' ? block.thinking : block.type === 'text' && block.text)),
      ['hm', 'Grüße, 😀'],
    )
    assert.deepEqual(
      [first.usage.input_tokens, first.usage.cache_read_input_tokens, first.usage.output_tokens],
      [5, 7, 3],
    )
    const turn = { role: 'assistant' as const, content: first.content }
    await anthropic.messages.create({ ...asked, messages: [...messages, turn, { role: 'user', content: 'Go on.' }] })
    const { json } = scene.upstream.last
    assert.deepEqual(json.messages[1].content, [
      { reasoningContent: { reasoningText: { text: 'hm', signature: 'SIG' } } },
      { text: 'Grüße, 😀' },
    ])
    assert.deepEqual(json.additionalModelRequestFields, { thinking: { type: 'enabled', budget_tokens: 2_000 } })
    assert.equal(signatureFault(scene.upstream.last, KEY), null)
  })

  test('tokens are counted', async () => {
    scene.upstream.next(behaviours.raw('{"inputTokens":17}'))
    const answer = await scene.gateway.post('/v1/messages/count_tokens', { model: 'signed', messages })
    assert.deepEqual(await answer.json(), { input_tokens: 17 })
    assert.equal(scene.upstream.last.url, `${PATH.replace('us.', '')}/count-tokens`)
    assert.equal(signatureFault(scene.upstream.last, KEY), null)
  })
})
