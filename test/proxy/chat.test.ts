/** The official SDK in front: what it is told, and how its errors are typed. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import OpenAI from 'openai'

import { UPSTREAM_KEY } from '../helpers/gateway.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours, USAGE, WORDS } from '../helpers/upstream/behaviours.ts'
import { within } from '../helpers/wait.ts'

const scene = useScene()
const messages = [{ role: 'user' as const, content: 'Say hello.' }]

describe('chat completions', () => {
  test('an unstreamed answer', async () => {
    const { data, response, request_id } = await scene.gateway
      .client()
      .chat.completions.create({ model: scene.alias, messages })
      .withResponse()
    assert.equal(data.choices[0]!.message.content, WORDS.join(''))
    assert.equal(data.model, scene.alias)
    assert.deepEqual(data.usage, USAGE)
    assert.equal(request_id, response.headers.get('x-request-id'))

    const { last } = scene.upstream
    assert.equal(last.method, 'POST')
    assert.equal(last.url, '/v1/chat/completions')
    assert.equal(last.headers['authorization'], `Bearer ${UPSTREAM_KEY}`)
    assert.deepEqual(last.json, { model: scene.providerModel, messages })
  })

  test('a stream', async () => {
    const stream = await scene.gateway.client().chat.completions.create({ model: scene.alias, messages, stream: true })
    const chunks = await Array.fromAsync(stream)
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), WORDS.join(''))
    assert.deepEqual(new Set(chunks.map((chunk) => chunk.model)), new Set([scene.alias]))
    assert.ok(
      chunks.every((chunk) => chunk.choices.length === 1 && !chunk.usage),
      'the usage that nobody asked for is not there',
    )
    assert.equal(scene.upstream.last.json.stream_options.include_usage, true, 'the gateway asks for usage itself')
  })

  test('a stream with its usage asked for', async () => {
    const stream = await scene.gateway
      .client()
      .chat.completions.create({ model: scene.alias, messages, stream: true, stream_options: { include_usage: true } })
    const chunks = await Array.fromAsync(stream)
    assert.deepEqual(chunks.at(-1)!.usage, USAGE)
    assert.deepEqual(chunks.at(-1)!.choices, [])
  })

  test('chunks arrive as they come, not at the end', async () => {
    scene.upstream.next(behaviours.stall('mid-body'))
    const stream = await scene.gateway.client().chat.completions.create({ model: scene.alias, messages, stream: true })
    const iterator = stream[Symbol.asyncIterator]()
    // The upstream never ends: were anything held back, this would wait for ever.
    const texts: (string | null | undefined)[] = []
    for (let i = 0; i < 3; i++)
      texts.push((await within(10_000, 'a chunk', iterator.next())).value!.choices[0]!.delta.content)
    assert.deepEqual(texts, ['', ...WORDS.slice(0, 2)])
    stream.controller.abort()
  })

  test('an aborted stream ends upstream too', async () => {
    scene.upstream.next(behaviours.answer({ gapMs: 20, words: Array.from({ length: 1_000 }, () => ' word') }))
    const stream = await scene.gateway.client().chat.completions.create({ model: scene.alias, messages, stream: true })
    let count = 0
    for await (const _ of stream) {
      if (++count === 3) break
    }
    const ended = await within(5_000, 'the end upstream', scene.upstream.last.ended)
    assert.equal(ended.finished, false)
  })

  test('a hundred at a time, streamed and not, keep apart', async () => {
    const client = scene.gateway.client()
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const mine = {
          model: scene.alias,
          messages: [{ role: 'user' as const, content: `I am ${i}` }],
          user: `user-${i}`,
        }
        if (i % 2) return (await client.chat.completions.create(mine)).choices[0]!.message.content
        const stream = await client.chat.completions.create({ ...mine, stream: true })
        return (await Array.fromAsync(stream)).map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')
      }),
    )
    assert.ok(answers.every((answer) => answer === WORDS.join('')))
    const asked = scene.upstream.requests.slice(-100).map(({ json }) => `${json.user} ${json.messages[0].content}`)
    assert.deepEqual(asked.sort(), Array.from({ length: 100 }, (_, i) => `user-${i} I am ${i}`).sort())
  })

  test('the simulated provider answers without a network, and tells its usage', async () => {
    const client = scene.gateway.client()
    const answer = await client.chat.completions.create({ model: 'demo', messages })
    assert.equal(answer.model, 'demo')
    assert.ok(answer.choices[0]!.message.content)
    const stream = await client.chat.completions.create({
      model: 'demo',
      messages,
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks = await Array.fromAsync(stream)
    assert.equal(
      chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''),
      answer.choices[0]!.message.content,
    )
    assert.equal(chunks.at(-1)!.usage!.completion_tokens, answer.usage!.completion_tokens)
    assert.ok(answer.usage!.completion_tokens > 0)
  })
})

test('models are listed and retrieved', async () => {
  const client = scene.gateway.client()
  const models = await Array.fromAsync(client.models.list())
  const model = models.find(({ id }) => id === scene.alias)
  assert.equal(model?.object, 'model')
  assert.deepEqual(await client.models.retrieve(scene.alias), model)
  await assert.rejects(client.models.retrieve('no-such-model'), OpenAI.NotFoundError)
})

describe("errors are the SDK's own", () => {
  const ask = (model: string, token?: string): Promise<unknown> =>
    scene.gateway.client(token).chat.completions.create({ model, messages })

  test('a wrong key', async () => {
    await assert.rejects(ask(scene.alias, 'sk-mr-0'), (error) => {
      assert.ok(error instanceof OpenAI.AuthenticationError)
      assert.deepEqual([error.code, error.type, error.param], ['invalid_api_key', 'authentication_error', null])
      assert.ok(error.requestID)
      return true
    })
  })

  test('an unknown model', async () => {
    await assert.rejects(ask('nobody-has-this'), (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError)
      assert.deepEqual([error.code, error.type, error.param], ['model_not_found', 'invalid_request_error', 'model'])
      return true
    })
  })

  test("the provider's own refusal, as it came", async () => {
    scene.upstream.next(behaviours.badRequest())
    await assert.rejects(ask(scene.alias), (error) => {
      assert.ok(error instanceof OpenAI.BadRequestError)
      assert.deepEqual([error.code, error.type, error.param], ['invalid_value', 'invalid_request_error', 'temperature'])
      assert.match(error.message, /temperature is too hot/)
      return true
    })
  })

  test('an error in mid-stream', async () => {
    scene.upstream.next(behaviours.errorEventLater())
    const stream = await scene.gateway.client().chat.completions.create({ model: scene.alias, messages, stream: true })
    const texts: string[] = []
    await assert.rejects(
      async () => {
        for await (const chunk of stream) texts.push(chunk.choices[0]?.delta.content ?? '')
      },
      (error) => {
        assert.ok(error instanceof OpenAI.APIError)
        assert.match(error.message, /./)
        return true
      },
    )
    assert.deepEqual(texts, ['', ...WORDS.slice(0, 2)], 'what had come before the error has reached the client')
  })
})
