import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { NO_USAGE, type GatewayError } from '@millrace/shared'

import type { EmbeddingRequest } from '../../canonical/request.ts'
import { bedrockEmbeddingWire as wire } from './embeddings.ts'

const TITAN = 'amazon.titan-embed-text-v2:0'
const COHERE = 'cohere.embed-multilingual-v3'
const COHERE_4 = 'us.cohere.embed-v4:0'

const ASKED: EmbeddingRequest = {
  kind: 'embeddings',
  input: ['a'],
  dimensions: null,
  encoding: 'float',
  user: null,
  named: {},
  unknown: [],
}

function encoded(request: Partial<EmbeddingRequest>, model: string) {
  return wire.encode({ ...ASKED, ...request }, { model, stream: false })
}

const bodyOf = (request: Partial<EmbeddingRequest>, model: string) => JSON.parse(encoded(request, model).body)

describe('bedrockEmbeddingWire', () => {
  it('asks each maker in words of its own', () => {
    assert.equal(wire.pathOf(TITAN, false), '/model/amazon.titan-embed-text-v2%3A0/invoke')
    assert.deepEqual(bodyOf({ dimensions: 256 }, TITAN), { inputText: 'a', dimensions: 256 })
    assert.deepEqual(bodyOf({ dimensions: 256 }, 'amazon.titan-embed-image-v1'), {
      inputText: 'a',
      embeddingConfig: { outputEmbeddingLength: 256 },
    })
    assert.deepEqual(bodyOf({ dimensions: 256, input: ['a', 'b'] }, COHERE_4), {
      texts: ['a', 'b'],
      input_type: 'search_document',
      embedding_types: ['float'],
      output_dimension: 256,
    })
    assert.deepEqual(bodyOf({ dimensions: 256 }, 'amazon.nova-2-multimodal-embeddings-v1:0').singleEmbeddingParams, {
      embeddingPurpose: 'GENERIC_INDEX',
      embeddingDimension: 256,
      text: { truncationMode: 'NONE', value: 'a' },
    })
  })

  it('drops what a model has no word for', () => {
    const { dropped, body } = encoded({ dimensions: 5, user: 'u', unknown: ['x'] }, COHERE)
    assert.deepEqual(dropped, ['x', 'dimensions', 'user'])
    assert.equal(JSON.parse(body).output_dimension, undefined)
    assert.deepEqual(encoded({ dimensions: 5 }, 'amazon.titan-embed-text-v1').dropped, ['dimensions'])
  })

  for (const [name, request, model, param] of [
    ['several texts, where one goes in a request', { input: ['a', 'b'] }, TITAN, 'input'],
    ['tokens', { input: [[1, 2]] }, COHERE, 'input'],
    ['a model that is not known', {}, 'meta.llama3-8b-instruct-v1:0', 'model'],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => encoded(request, model),
        (error: GatewayError) => error.code === 'unsupported_endpoint' && error.param === param,
      )
    })
  }

  it('reads the answers', () => {
    const one = encoded({}, TITAN)
    const two = encoded({ input: ['a', 'b'] }, COHERE)
    const vectors = [
      [1, 0.5],
      [0, -1],
    ]
    assert.deepEqual(wire.read({ embedding: vectors[0], inputTextTokenCount: 3 }, one), {
      kind: 'embeddings',
      vectors: [vectors[0]],
      usage: { ...NO_USAGE, inputTokens: 3, source: 'PROVIDER' },
    })
    for (const embeddings of [{ float: vectors }, vectors]) {
      assert.deepEqual(wire.read({ embeddings }, two), { kind: 'embeddings', vectors, usage: null })
    }
    const told = wire.read({ embeddings: vectors }, two, { 'x-amzn-bedrock-input-token-count': '9' })
    assert.deepEqual(told?.kind === 'embeddings' && told.usage?.inputTokens, 9)
    const unclear = wire.read({ embeddings: vectors }, two, { 'x-amzn-bedrock-input-token-count': 'many' })
    assert.deepEqual(unclear, { kind: 'embeddings', vectors, usage: null })
    const nova = { embeddings: [{ embeddingType: 'TEXT', embedding: vectors[0] }] }
    assert.deepEqual(wire.read(nova, one), { kind: 'embeddings', vectors: [vectors[0]], usage: null })
  })

  it('takes nothing else for an answer', () => {
    const one = encoded({}, TITAN)
    for (const other of [
      null,
      {},
      { embedding: [] },
      { embedding: ['a'] },
      { embeddings: [[1], [2]] },
      { embedding: 1 },
    ]) {
      assert.equal(wire.read(other, one), null)
    }
  })
})
