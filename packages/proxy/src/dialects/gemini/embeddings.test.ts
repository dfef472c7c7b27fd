import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { EmbeddingRequest } from '../../canonical/request.ts'
import { embedWire } from './wire.ts'

describe('embeddings', () => {
  const two = { dropped: [], answerTool: null, memo: 2 }
  const values = (...vectors: unknown[]): object => ({ embeddings: vectors.map((one) => ({ values: one })) })

  it('are read', () => {
    assert.deepEqual(embedWire.read(values([1, 0.5], [0, 1]), two), {
      kind: 'embeddings',
      usage: null,
      vectors: [
        [1, 0.5],
        [0, 1],
      ],
    })
  })

  for (const bad of [{}, values([1]), values([1], []), values([1], ['a']), values([1], 'a'), { embeddings: 7 }, null]) {
    it(`are not ${JSON.stringify(bad)}`, () => assert.equal(embedWire.read(bad, two), null))
  }

  it('are asked for in one batch', () => {
    const request: EmbeddingRequest = {
      kind: 'embeddings',
      input: ['a', 'b'],
      dimensions: 3,
      encoding: 'float',
      user: 'u',
      named: {},
      unknown: ['x'],
    }
    const { body, dropped, memo } = embedWire.encode(request, { model: 'embed', stream: false })
    const one = (text: string): object => ({
      model: 'models/embed',
      content: { parts: [{ text }] },
      outputDimensionality: 3,
    })
    assert.deepEqual([JSON.parse(body), dropped, memo], [{ requests: [one('a'), one('b')] }, ['x', 'user'], 2])
    const most = embedWire.encode(
      { ...request, input: Array<string>(100).fill('a') },
      { model: 'embed', stream: false },
    )
    assert.equal(JSON.parse(most.body).requests.length, 100)
    for (const input of [[[1, 2]], Array<string>(101).fill('a')]) {
      assert.throws(() => embedWire.encode({ ...request, input }, { model: 'embed', stream: false }), {
        code: 'unsupported_endpoint',
        param: 'input',
      })
    }
  })
})
