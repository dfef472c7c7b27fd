import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { encoding, streamed } from './streamed.fixture.ts'
import { generateWire } from './wire.ts'

function piece(parts: readonly object[], more: object = {}, index = 0): object {
  return { candidates: [{ content: { parts, role: 'model' }, index, ...more }] }
}

const START = {
  type: 'start',
  id: '',
  created: null,
  usage: null,
  serviceTier: null,
  systemFingerprint: null,
}
const END = { finishReason: 'STOP' }
const signature = { origin: 'gemini', value: 'S' } as const
const finish = (reason: string, own = 'STOP', choice = 0): object => ({
  type: 'finish',
  choice,
  finish: {
    reason,
    own,
    stopSequence: null,
  },
})
const DONE = { type: 'done' }

describe('a streamed answer', () => {
  it('numbers what it is made of', () => {
    const image = { inlineData: { mimeType: 'image/png', data: 'AAAA' } }
    assert.deepEqual(
      streamed(
        piece([{ text: 't', thought: true }]),
        piece([{ text: 'u', thought: true }, { text: 'a' }]),
        piece([{ text: 'b', thoughtSignature: 'S' }]),
        piece([
          { functionCall: { name: 'f', args: { a: 1 } }, thoughtSignature: 'S' },
          { functionCall: { name: 'g' } },
        ]),
        piece([image, { codeExecutionResult: {} }]),
        piece([{ text: '' }], END),
      ),
      [
        START,
        { type: 'reasoning', choice: 0, block: 0, text: 't', summary: true },
        { type: 'reasoning', choice: 0, block: 0, text: 'u', summary: true },
        { type: 'text', choice: 0, block: 1, text: 'a' },
        { type: 'text', choice: 0, block: 1, text: 'b' },
        { type: 'reasoning', choice: 0, block: 2, text: '' },
        { type: 'signature', choice: 0, block: 2, signature },
        { type: 'tool_call', choice: 0, block: 3, id: '', name: 'f' },
        { type: 'arguments', choice: 0, block: 3, text: '{"a":1}' },
        { type: 'signature', choice: 0, block: 3, signature },
        { type: 'tool_call', choice: 0, block: 4, id: '', name: 'g' },
        { type: 'arguments', choice: 0, block: 4, text: '{}' },
        {
          type: 'part',
          choice: 0,
          block: 5,
          part: {
            type: 'image',
            source: {
              from: 'data',
              mediaType: 'image/png',
              data: 'AAAA',
            },
          },
        },
        {
          type: 'part',
          choice: 0,
          block: 6,
          part: { type: 'own', own: { origin: 'gemini', value: { codeExecutionResult: {} } } },
        },
        finish('tool_calls'),
        DONE,
      ],
    )
  })

  it('ends once, with the last that was told of its use', () => {
    const usage = (candidatesTokenCount: number): object => ({
      usageMetadata: { promptTokenCount: 1, candidatesTokenCount },
    })
    const parts = streamed(
      { ...piece([{ text: 'a' }]), ...usage(1) },
      { ...piece([], END), ...usage(2) },
      { ...usage(3) },
    )
    const told = parts.filter(({ type }) => type === 'usage' || type === 'start')
    assert.deepEqual(
      told.map((part) => ('usage' in part ? part.usage?.outputTokens : null)),
      [1, 3],
    )
    assert.deepEqual(
      parts.slice(-3).map(({ type }) => type),
      ['finish', 'usage', 'done'],
    )
  })

  it('is of several candidates', () => {
    const parts = streamed(
      piece([{ text: 'a' }]),
      piece([{ text: 'b' }], {}, 1),
      piece([], END, 1),
      piece([], { finishReason: 'MAX_TOKENS' }),
    )
    assert.deepEqual(parts.slice(1), [
      { type: 'text', choice: 0, block: 0, text: 'a' },
      { type: 'text', choice: 1, block: 0, text: 'b' },
      finish('length', 'MAX_TOKENS'),
      finish('stop', 'STOP', 1),
      DONE,
    ])
  })

  it('is not whole without its end', () => {
    assert.deepEqual(
      streamed(piece([{ text: 'a' }])).map(({ type }) => type),
      ['start', 'text'],
    )
    assert.deepEqual(
      streamed(piece([], END), piece([{ text: 'b' }], {}, 1)).map(({ type }) => type),
      ['start', 'text'],
    )
    assert.deepEqual(
      streamed({ usageMetadata: { promptTokenCount: 1 } }).map(({ type }) => type),
      ['start'],
    )
    assert.deepEqual(streamed(), [])
  })

  it('may be a refused prompt', () => {
    assert.deepEqual(streamed({ promptFeedback: { blockReason: 'SAFETY' } }), [
      START,
      finish('content_filter', 'SAFETY'),
      DONE,
    ])
  })

  it('tells what it rests on, and by which chances, beside its text', () => {
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://a' } }],
      groundingSupports: [{ segment: { endIndex: 1 }, groundingChunkIndices: [0] }],
    }
    const logprobsResult = { chosenCandidates: [{ token: 'a', logProbability: -1 }] }
    const parts = streamed(piece([{ text: 'a' }], { logprobsResult }), piece([], { ...END, groundingMetadata }))
    assert.deepEqual(parts[1], {
      type: 'text',
      choice: 0,
      block: 0,
      text: 'a',
      logprobs: [
        {
          token: 'a',
          logprob: -1,
          bytes: [97],
          top: [],
        },
      ],
    })
    assert.ok(parts[2]?.type === 'citation')
    assert.deepEqual([parts[2].block, parts[2].citation.start, parts[2].citation.end], [0, 0, 1])
    const unknown = streamed(piece([{ text: 'ä' }]), piece([], { ...END, groundingMetadata }))
    assert.ok(unknown[2]?.type === 'citation')
    assert.deepEqual([unknown[2].citation.url, unknown[2].citation.start], ['https://a', null])
  })

  it('tells what a text rests on before its signature, which ends it', () => {
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: 'https://a' } }],
      groundingSupports: [{ segment: { endIndex: 1 }, groundingChunkIndices: [0] }],
    }
    const cited = (...pieces: readonly object[]): unknown[] =>
      streamed(...pieces).flatMap((part): unknown[] => {
        if (part.type === 'citation') return [[part.type, part.block, part.citation.end]]
        return 'block' in part ? [[part.type, part.block]] : []
      })
    const last = { ...END, groundingMetadata }
    assert.deepEqual(cited(piece([{ text: 'a' }]), piece([{ text: '', thoughtSignature: 'S' }], last)), [
      ['text', 0],
      ['citation', 0, 1],
      ['reasoning', 1],
      ['signature', 1],
    ])
    const ran = { codeExecutionResult: {} }
    assert.deepEqual(cited(piece([{ text: 'a', thoughtSignature: 'S' }, ran, { text: 'b' }], last)), [
      ['text', 0],
      ['reasoning', 1],
      ['signature', 1],
      ['part', 2],
      ['text', 3],
      ['citation', 3, null],
    ])
  })

  it('breaks off by an error, and says nothing after it', () => {
    const error = { message: 'm', type: 'UNAVAILABLE', code: null, param: null }
    const event = { error: { code: 503, message: 'm', status: 'UNAVAILABLE' } }
    const expected = [START, { type: 'text', choice: 0, block: 0, text: 'a' }, { type: 'error', error }]
    assert.deepEqual(streamed(piece([{ text: 'a' }]), event, piece([{ text: 'b' }], END)), expected)
    assert.deepEqual(streamed(piece([{ text: 'a' }]), [event]), expected)
  })

  it('of anything else says nothing', () => {
    const others = [
      '',
      'no JSON',
      '[DONE]',
      '7',
      'null',
      '[]',
      '{}',
      '{"choices":[{"delta":{"content":"a"}}]}',
      '{"type":"ping"}',
    ]
    assert.deepEqual(streamed(...others), [])
  })

  it('of any JSON throws nothing', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom('STOP', 'text', ''),
        fc.integer(),
        fc.constant(null),
        fc.boolean(),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...NAMES), tie('any'), { maxKeys: 6 }),
      ),
    })).any
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), (events) => {
        streamed(...events)
        for (const event of events) {
          generateWire.read(generateWire.parse!(JSON.stringify(event)), encoding)
          generateWire.readError(500, event, {})
        }
      }),
      { numRuns: 500 },
    )
  })
})

const NAMES = [
  'candidates content parts text thought thoughtSignature functionCall name args inlineData mimeType data',
  'fileData fileUri finishReason index usageMetadata promptTokenCount error groundingMetadata groundingChunks',
  'groundingSupports segment endIndex web logprobsResult chosenCandidates topCandidates token promptFeedback',
  'blockReason details @type retryDelay',
].flatMap((line) => line.split(' '))
