/** `/v1/embeddings`: untouched at who speaks OpenAI's API, in other words at others. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { assertError } from '../helpers/error-shape.ts'
import { assertDescribed, openApiMissing } from '../helpers/openapi.ts'
import { OWN_KEY, ownCredential, useOwnProxy } from '../helpers/own-proxy.ts'
import { ownAlias, OwnSnapshot, ownProvider, ownRoute } from '../helpers/own-snapshot.ts'
import { raw } from '../helpers/upstream/answers.ts'

const KINDS = ['OPENAI', 'GEMINI', 'ANTHROPIC', 'SIMULATED'] as const

const own = useOwnProxy((origin) => {
  const providers = KINDS.map((kind) =>
    ownProvider({
      name: kind.toLowerCase(),
      kind,
      baseUrl: kind === 'SIMULATED' ? null : `${origin}/v1`,
      credentials: kind === 'SIMULATED' ? [] : [ownCredential()],
    }),
  )
  return new OwnSnapshot(
    providers,
    providers.map(({ id, name }) =>
      ownAlias({ name, routes: [ownRoute({ providerId: id, providerModel: 'embedder' })] }),
    ),
  )
})

const PATH = '/v1/embeddings'

describe('at a provider of the same API', () => {
  test('all but the model stays as it came', async () => {
    const rest =
      '"data":[{"object":"embedding","index":0,"embedding":[1.0,-0,1e-7,null]}],"usage":{"prompt_tokens":7,"total_tokens":7}'
    const body = { x: 1, input: ['a', [1, 2]], model: 'openai', dimensions: null, encoding_format: 'float' }
    const { answer, seen } = await own.asked(raw(`{ "model":"embedder",${rest}}`), () => own.post(PATH, body))
    assert.equal(answer.text, `{ "model":"openai",${rest}}`)
    assert.equal(seen.body.toString(), JSON.stringify({ ...body, model: 'embedder' }))
    assert.deepEqual([seen.url, seen.headers.authorization], [PATH, `Bearer ${OWN_KEY}`])
    const { usage, httpStatus, endpoint } = await own.recordOf(answer)
    assert.deepEqual([usage.inputTokens, usage.outputTokens, usage.source, httpStatus], [7, 0, 'PROVIDER', 200])
    assert.equal(endpoint, PATH)
  })

  test("the SDK's base64 passes", async () => {
    const data = [{ object: 'embedding', index: 0, embedding: 'AAAAPwAAgL8=' }]
    const usage = { prompt_tokens: 1, total_tokens: 1 }
    const { answer, seen } = await own.asked(raw(JSON.stringify({ object: 'list', model: 'm', data, usage })), () =>
      own.openai.embeddings.create({ model: 'openai', input: 'a' }),
    )
    assert.equal(seen.json.encoding_format, 'base64')
    assert.deepEqual(answer.data[0]!.embedding, [0.5, -1])
    assert.equal(answer.model, 'openai')
  })

  test('usage that is not told is estimated', async () => {
    const { answer } = await own.asked(raw('{"data":[]}'), () => own.post(PATH, { model: 'openai', input: 'abcd' }))
    const { usage } = await own.recordOf(answer)
    assert.deepEqual([usage.source, usage.outputTokens], ['ESTIMATED', 0])
    assert.ok(usage.inputTokens > 0)
  })

  test('its refusal passes, and what is no answer does not', async () => {
    const refusal = '{"error":{"message":"no", "type":"invalid_request_error","param":null,"code":null}}'
    const { answer } = await own.asked(raw(refusal, { status: 400 }), () =>
      own.post(PATH, { model: 'openai', input: '' }),
    )
    assert.deepEqual([answer.status, answer.text], [400, refusal])
    for (let i = 0; i < 3; i++) own.upstream.next(raw('{"choices":[]}'))
    assertError(await own.post(PATH, { model: 'openai', input: 'a' }), {
      status: 502,
      type: 'upstream_error',
      code: 'all_routes_failed',
    })
  })
})

describe('at Gemini', () => {
  const values = (...vectors: number[][]) =>
    raw(JSON.stringify({ embeddings: vectors.map((one) => ({ values: one })) }))

  for (const encoding of ['float', 'base64'] as const) {
    test(`they are asked for in its words, and come as ${encoding}`, async () => {
      const body = { model: 'gemini', input: ['a', 'b'], dimensions: 2, encoding_format: encoding }
      const { answer, seen } = await own.asked(values([0.5, -1], [1, 0]), () => own.post(PATH, body))
      assert.equal(seen.url, '/v1/models/embedder:batchEmbedContents')
      assert.equal(seen.headers['x-goog-api-key'], OWN_KEY)
      assert.equal(seen.headers.authorization, undefined)
      assert.deepEqual(seen.json.requests[1], {
        model: 'models/embedder',
        content: { parts: [{ text: 'b' }] },
        outputDimensionality: 2,
      })
      const told = JSON.parse(answer.text)
      const first = encoding === 'float' ? [0.5, -1] : 'AAAAPwAAgL8='
      assert.deepEqual([told.model, told.data[0].embedding, told.data[1].index], ['gemini', first, 1])
      if (openApiMissing === false && encoding === 'float') assertDescribed('CreateEmbeddingResponse', told)
    })
  }

  test('the SDK reads them', async () => {
    const { answer } = await own.asked(values([0.5, -1]), () =>
      own.openai.embeddings.create({ model: 'gemini', input: 'a', user: 'u' }),
    )
    assert.deepEqual(answer.data[0]!.embedding, [0.5, -1])
  })

  test('what it does not know is told', async () => {
    const body = { model: 'gemini', input: 'a', user: 'u', input_type: 'query' }
    const { answer } = await own.asked(values([1]), () => own.post(PATH, body))
    assert.deepEqual(String(answer.headers['x-millrace-dropped-params']).split(/,\s*/).sort(), ['input_type', 'user'])
  })

  test('tokens cannot be embedded', async () => {
    const before = own.upstream.requests.length
    assertError(await own.post(PATH, { model: 'gemini', input: [1, 2] }), {
      status: 400,
      type: 'invalid_request_error',
      code: 'unsupported_endpoint',
      param: 'input',
    })
    assert.equal(own.upstream.requests.length, before)
  })

  test('what makes no sense is refused before', async () => {
    for (const [param, more] of [
      ['input', {}],
      ['input[1]', { input: ['a', 7] }],
      ['dimensions', { input: 'a', dimensions: 0.5 }],
    ] as const) {
      assertError(await own.post(PATH, { model: 'gemini', ...more }), {
        status: 400,
        type: 'invalid_request_error',
        code: 'param_not_allowed',
        param,
      })
    }
  })

  test('fewer vectors than texts are no answer', async () => {
    for (let i = 0; i < 3; i++) own.upstream.next(raw('{"embeddings":[{"values":[1]}]}'))
    assertError(await own.post(PATH, { model: 'gemini', input: ['a', 'b'] }), {
      status: 502,
      type: 'upstream_error',
      code: 'all_routes_failed',
    })
  })
})

test('at Anthropic there are none', async () => {
  assertError(await own.post(PATH, { model: 'anthropic', input: 'a' }), {
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_endpoint',
    param: 'model',
  })
})

describe('simulated', () => {
  test('they are the same for the same text, of length 1, and as many as wanted', async () => {
    const ask = async (dimensions?: number): Promise<number[][]> => {
      const size = dimensions === undefined ? {} : { dimensions }
      const { data } = await own.openai.embeddings.create({ model: 'simulated', input: ['a', 'b', 'a'], ...size })
      return data.map(({ embedding }) => embedding)
    }
    const [a, b, again] = (await ask()) as [number[], number[], number[]]
    assert.deepEqual([a.length, b.length], [1_536, 1_536])
    assert.deepEqual(a, again)
    assert.notDeepEqual(a, b)
    assert.ok(Math.abs(Math.hypot(...a) - 1) < 1e-4)
    assert.deepEqual(
      (await ask(8)).map(({ length }) => length),
      [8, 8, 8],
    )
  })

  test('what cannot be embedded is refused, and nothing breaks', async () => {
    const many = Array.from({ length: 200_000 }, () => 'a')
    for (const [param, body] of [
      ['input', {}],
      ['input', { input: [] }],
      ['input', { input: many }],
      ['input[1]', { input: ['a', 7] }],
      ['dimensions', { input: 'a', dimensions: 0 }],
    ] as const) {
      const { status, text } = await own.post(PATH, { model: 'simulated', ...body })
      assert.deepEqual([status, JSON.parse(text).error.param], [400, param])
    }
    const { status, text } = await own.post(PATH, { model: 'simulated', input: 'a', dimensions: 2, stream: true })
    assert.deepEqual([status, JSON.parse(text).data[0].embedding.length], [200, 2])
  })

  test('their answer is as OpenAI describes it, tokens too', async () => {
    for (const input of ['a', [1, 2], [[1], [2]]]) {
      const answer = await own.post(PATH, { model: 'simulated', input, dimensions: 3 })
      const told = JSON.parse(answer.text)
      assert.equal(told.data.length, input.length === 2 && Array.isArray(input[0]) ? 2 : 1)
      if (openApiMissing === false) assertDescribed('CreateEmbeddingResponse', told)
      const { usage } = await own.recordOf(answer)
      assert.deepEqual([usage.source, usage.inputTokens], ['PROVIDER', told.usage.prompt_tokens])
    }
  })
})
