import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { AnswerEvents, idPrefix, readRequest, wholeAnswer } from './answer.ts'

const TOKENS = ['Hello', ' there.']

function asked(path: string, more: object = {}): ReturnType<typeof readRequest> {
  return readRequest(path, Buffer.from(JSON.stringify({ model: 'm', ...more })))
}

function events(path: string, more: object): any[] {
  const made = new AnswerEvents('id', asked(path, { stream: true, ...more }), TOKENS)
  const tokens = TOKENS.map(() => made.token())
  assert.equal(made.token(), null)
  const data = [made.role(), ...tokens, made.ending()].join('').split('\n\n')
  assert.deepEqual(data.splice(-2), ['data: [DONE]', ''])
  return data.map((event) => JSON.parse(event.slice('data: '.length)))
}

describe('a simulated text completion', () => {
  it('is whole', () => {
    const request = asked('/completions', { prompt: 'Say hello.' })
    const { created, usage, ...answer } = JSON.parse(wholeAnswer('id', request, TOKENS))
    assert.ok(Number.isInteger(created))
    assert.equal(usage.completion_tokens, 2)
    assert.deepEqual(answer, {
      id: 'id',
      object: 'text_completion',
      model: 'm',
      choices: [{ index: 0, text: 'Hello there.', logprobs: null, finish_reason: 'stop' }],
    })
    assert.equal(idPrefix(request), 'cmpl-')
  })

  it('is streamed, without a role', () => {
    const chunks = events('/completions', { stream_options: { include_usage: true } })
    assert.deepEqual(
      chunks.map(({ object, choices: [choice] }) => [object, choice?.text, choice?.finish_reason]),
      [
        ['text_completion', 'Hello', null],
        ['text_completion', ' there.', null],
        ['text_completion', '', 'stop'],
        ['text_completion', undefined, undefined],
      ],
    )
    assert.equal(chunks.at(-1).usage.completion_tokens, 2)
  })
})

it('a simulated chat begins with its role', () => {
  assert.deepEqual(
    events('/chat/completions', {}).map(({ object, choices: [choice] }) => [object, choice.delta, choice.text]),
    [
      ['chat.completion.chunk', { role: 'assistant', content: '', refusal: null }, undefined],
      ['chat.completion.chunk', { content: 'Hello' }, undefined],
      ['chat.completion.chunk', { content: ' there.' }, undefined],
      ['chat.completion.chunk', {}, undefined],
    ],
  )
})

describe('simulated embeddings', () => {
  const embedded = (more: object): any => JSON.parse(wholeAnswer('id', asked('/embeddings', more), TOKENS))

  it('are as many as the texts, or lists of tokens', () => {
    for (const [input, count] of [
      ['a', 1],
      [['a', 'b'], 2],
      [[1, 2, 3], 1],
      [[[1], [2, 3]], 2],
    ] as const) {
      assert.equal(embedded({ input, dimensions: 2 }).data.length, count)
    }
  })

  it('are as long as wanted, but for what nobody can want', () => {
    for (const [dimensions, length] of [
      [undefined, 1_536],
      [null, 1_536],
      [3, 3],
      [1e9, 8_192],
    ] as const) {
      assert.equal(embedded({ input: 'a', dimensions }).data[0].embedding.length, length)
    }
  })

  it('are refused where OpenAI would, and where they are too many', () => {
    const texts = (count: number): object => ({ input: Array.from({ length: count }, () => 'a') })
    for (const [param, more] of [
      ['input', {}],
      ['input', { input: null }],
      ['input[0]', { input: [null] }],
      ['dimensions', { input: 'a', dimensions: '3' }],
      ['encoding_format', { input: 'a', encoding_format: 7 }],
      ['input', texts(326)],
    ] as const) {
      const { embeds, refusal } = asked('/embeddings', more)
      assert.deepEqual([embeds, refusal?.param], [null, param])
    }
    assert.equal(asked('/embeddings', texts(325)).embeds?.texts.length, 325)
  })

  it('are never streamed', () => assert.equal(asked('/embeddings', { input: 'a', stream: true }).stream, false))

  it('are the same in both encodings', () => {
    const [floats, bytes] = ['float', 'base64'].map(
      (encoding_format) => embedded({ input: 'a', dimensions: 3, encoding_format }).data[0].embedding,
    )
    const decoded = Buffer.from(bytes, 'base64')
    assert.deepEqual(
      [0, 4, 8].map((at) => decoded.readFloatLE(at)),
      floats,
    )
  })
})
