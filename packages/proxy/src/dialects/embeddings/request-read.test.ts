import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { readEmbeddingRequest } from './request-read.ts'

describe('the body of /v1/embeddings', () => {
  for (const [input, expected] of [
    ['a', ['a']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [[1, 2], [[1, 2]]],
    [
      [[1], [2, 3]],
      [[1], [2, 3]],
    ],
    [
      ['a', [1]],
      ['a', [1]],
    ],
  ] as const) {
    it(`asks for ${JSON.stringify(input)}`, () => assert.deepEqual(readEmbeddingRequest({ input }).input, expected))
  }

  it('is read whole', () => {
    const body = {
      model: 'm',
      input: 'a',
      dimensions: 8,
      encoding_format: 'base64',
      user: 'u',
      input_type: 'x',
      y: null,
    }
    const { named: _, ...request } = readEmbeddingRequest(body)
    assert.deepEqual(request, {
      kind: 'embeddings',
      input: ['a'],
      dimensions: 8,
      encoding: 'base64',
      user: 'u',
      unknown: ['input_type'],
    })
  })

  it('asks for floats unless it says otherwise', () => {
    for (const encoding_format of [undefined, null, 'float']) {
      assert.equal(readEmbeddingRequest({ input: 'a', encoding_format }).encoding, 'float')
    }
  })

  for (const [param, body] of [
    ['input', {}],
    ['input', { input: 7 }],
    ['input', { input: [] }],
    ['input', { input: '' }],
    ['input', { input: [1, 'a'] }],
    ['input', { input: [1.5] }],
    ['input[1]', { input: ['a', 7] }],
    ['input[0]', { input: [''] }],
    ['input[1]', { input: ['a', []] }],
    ['input[0]', { input: [{ text: 'a' }] }],
    ['dimensions', { input: 'a', dimensions: 0 }],
    ['dimensions', { input: 'a', dimensions: '8' }],
    ['encoding_format', { input: 'a', encoding_format: 'hex' }],
    ['user', { input: 'a', user: 7 }],
  ] as const) {
    it(`is wrong as ${JSON.stringify(body)}`, () => {
      assert.throws(() => readEmbeddingRequest(body), { code: 'param_not_allowed', param })
    })
  }
})
