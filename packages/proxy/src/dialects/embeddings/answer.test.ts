import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { NO_USAGE } from '@millrace/shared'
import fc from 'fast-check'

import type { EmbeddingRequest } from '../../canonical/request.ts'
import { base64Of, embeddingsWriter } from './answer-write.ts'
import { readEmbeddingAnswer } from './answer.ts'

const REQUEST: EmbeddingRequest = {
  kind: 'embeddings',
  input: ['12345', [1, 2, 3]],
  dimensions: null,
  encoding: 'float',
  user: null,
  named: {},
  unknown: [],
}

function written(encoding: EmbeddingRequest['encoding'], usage: typeof NO_USAGE | null = null): any {
  const saying = { model: 'ours', id: 'id', created: 1, request: { ...REQUEST, encoding }, usageWanted: true }
  const vectors = [
    [0.5, -1],
    [0.25, 2],
  ]
  return JSON.parse(embeddingsWriter.answer({ kind: 'embeddings', vectors, usage }, saying))
}

describe('embeddings for a client', () => {
  it('are floats', () => {
    assert.deepEqual(written('float', { ...NO_USAGE, inputTokens: 9 }), {
      object: 'list',
      data: [
        { object: 'embedding', index: 0, embedding: [0.5, -1] },
        { object: 'embedding', index: 1, embedding: [0.25, 2] },
      ],
      model: 'ours',
      usage: { prompt_tokens: 9, total_tokens: 9 },
    })
  })

  it('are bytes in base64', () => {
    assert.deepEqual(
      written('base64').data.map(({ embedding }: any) => embedding),
      ['AAAAPwAAgL8=', 'AACAPgAAAEA='],
    )
  })

  it('tell an estimate where the provider tells nothing', () => {
    assert.deepEqual(written('float').usage, { prompt_tokens: 5, total_tokens: 5 })
  })

  it('come back from base64 as they went', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true })), (vector) => {
        const bytes = Buffer.from(base64Of(vector), 'base64')
        assert.deepEqual(
          vector.map((_, i) => bytes.readFloatLE(i * 4)),
          vector,
        )
      }),
    )
  })
})

describe("a provider's own embeddings", () => {
  it('stay as they are, but for the model', () => {
    const rest =
      '"data":[{"object":"embedding","index":0,"embedding":[1.0,-0,1e-7]}],"usage":{"prompt_tokens":3,"total_tokens":3}'
    const read = readEmbeddingAnswer(`{"object": "list", "model":"theirs", ${rest},"x":null }`, '"ours"')
    assert.ok(read !== null && 'body' in read)
    assert.equal(read.body, `{"object": "list", "model":"ours", ${rest},"x":null }`)
    assert.deepEqual(read.usage, { ...NO_USAGE, inputTokens: 3, source: 'PROVIDER' })
  })

  it('may tell no usage', () => {
    for (const usage of ['null', '7', '{}', '{"prompt_tokens":-1}', '{"prompt_tokens":"7"}']) {
      const read = readEmbeddingAnswer(`{"data":[],"usage":${usage}}`, '"m"')
      assert.ok(read !== null && 'body' in read)
      assert.equal(read.usage, null)
    }
  })

  it('may be an error', () => {
    const error = { message: 'no', type: 't', code: null }
    assert.deepEqual(readEmbeddingAnswer('{"error":{"message":"no","type":"t","code":7}}', '"m"'), error)
    assert.deepEqual(readEmbeddingAnswer('{"error":"no","data":null}', '"m"'), { ...error, type: null })
  })

  for (const bad of ['', '<html>', '[]', '{}', '{"data":null}', '{"choices":[]}', '{"data":{}}', '{"error":null}']) {
    it(`are not ${bad}`, () => assert.equal(readEmbeddingAnswer(bad, '"m"'), null))
  }
})
