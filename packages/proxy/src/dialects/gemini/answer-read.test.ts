import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { CanonicalAnswer, ChatAnswer, Choice } from '../../canonical/answer.ts'
import type { Encoding, ProviderErrorAnswer } from '../../canonical/wire.ts'
import { generateWire } from './wire.ts'

type Read = CanonicalAnswer | ProviderErrorAnswer | null

const encoding: Encoding = {
  dropped: [],
  answerTool: null,
  memo: { customs: ['grep'], names: new Map([['_3d', '3d']]) },
}

function read(answer: unknown): Read {
  return generateWire.read(generateWire.parse!(JSON.stringify(answer)), encoding)
}

function chat(answer: unknown): ChatAnswer {
  const answered = read(answer)
  assert.ok(answered?.kind === 'chat', JSON.stringify(answered))
  return answered
}

/** The one choice of a candidate. */
function choice(candidate: object): Choice {
  return chat({ candidates: [{ finishReason: 'STOP', ...candidate }] }).choices[0]!
}

function said(...parts: object[]): Choice['content'] {
  return choice({ content: { parts } }).content
}

const signature = { origin: 'gemini', value: 'S' }

describe('what a model says', () => {
  it('is text in one piece, with its signature behind it', () => {
    assert.deepEqual(said({ text: 'a' }, { text: 'b', thoughtSignature: 'S' }, { text: '' }, { text: 'c' }), [
      { type: 'text', text: 'ab' },
      { type: 'reasoning', text: '', signature },
      { type: 'text', text: 'c' },
    ])
  })

  it('is thoughts', () => {
    assert.deepEqual(said({ text: 't', thought: true }, { thought: true, text: '', thoughtSignature: 'S' }), [
      { type: 'reasoning', text: 't', signature: null, summary: true },
      { type: 'reasoning', text: '', signature, summary: true },
    ])
  })

  it('is calls, each by an id of its own', () => {
    const { content, finish } = choice({
      content: {
        parts: [
          { functionCall: { name: 'f' }, thoughtSignature: 'S' },
          { functionCall: { name: 'f', args: { a: 1 } } },
          { functionCall: { name: 'grep', id: 'theirs', args: { input: 'x y' } } },
        ],
      },
    })
    const [first, second, third] = content
    assert.ok(first?.type === 'tool_call' && second?.type === 'tool_call')
    for (const { id } of [first, second]) assert.match(id, /^call_[0-9a-f]{32}$/)
    assert.notEqual(first.id, second.id)
    assert.deepEqual({ ...first, id: '' }, { type: 'tool_call', id: '', name: 'f', arguments: '{}', signature })
    assert.equal(second.arguments, '{"a":1}')
    assert.deepEqual(third, { type: 'tool_call', id: 'theirs', name: 'grep', arguments: 'x y', kind: 'custom' })
    assert.deepEqual(finish, { reason: 'tool_calls', own: 'STOP', stopSequence: null })
  })

  it('calls tools by the names of the client', () => {
    const [call] = said({ functionCall: { name: '_3d', id: 'x' } })
    assert.deepEqual(call, { type: 'tool_call', id: 'x', name: '3d', arguments: '{}' })
  })

  it('keeps the spelling of numbers in arguments', () => {
    const text =
      '{"candidates":[{"content":{"parts":[{"text":"a"},{"functionCall":{"name":"f","args":{"a":12345678901234567890,"b":1.0}}}]},' +
      '"finishReason":"STOP","avgLogprobs":-0.12345678901234567}]}'
    const answer = generateWire.read(generateWire.parse!(text), encoding)
    assert.ok(answer?.kind === 'chat')
    const call = answer.choices[0]!.content[1]
    assert.ok(call?.type === 'tool_call')
    assert.equal(call.arguments, '{"a":12345678901234567890,"b":1.0}')
  })

  it('is images, recordings and files', () => {
    const inline = (mimeType: string): object => ({ inlineData: { mimeType, data: 'AAAA' } })
    assert.deepEqual(
      said(
        { ...inline('image/png'), thoughtSignature: 'S' },
        inline('audio/L16;codec=pcm;rate=24000'),
        inline('video/mp4'),
      ),
      [
        { type: 'image', source: { from: 'data', mediaType: 'image/png', data: 'AAAA' } },
        { type: 'reasoning', text: '', signature },
        { type: 'audio', data: 'AAAA', format: 'pcm16' },
        { type: 'file', source: { from: 'data', mediaType: 'video/mp4', data: 'AAAA' } },
      ],
    )
    assert.deepEqual(said({ fileData: { mimeType: 'image/png', fileUri: 'https://x' } }), [
      { type: 'image', source: { from: 'url', url: 'https://x' } },
    ])
  })

  it('is what only Gemini can say', () => {
    const code = { executableCode: { language: 'PYTHON', code: '1' }, thoughtSignature: 'S' }
    assert.deepEqual(said(code, { text: 'a' }), [
      { type: 'own', own: { origin: 'gemini', value: code } },
      { type: 'text', text: 'a' },
    ])
  })

  it('comes in several candidates', () => {
    const candidates = [
      { content: { parts: [{ text: 'b' }] }, index: 1, finishReason: 'MAX_TOKENS' },
      { content: { parts: [{ text: 'a' }] }, index: 0, finishReason: 'STOP' },
    ]
    const { choices } = chat({ candidates })
    assert.deepEqual(
      choices.map(({ index, finish: { reason } }) => [index, reason]),
      [
        [1, 'length'],
        [0, 'stop'],
      ],
    )
  })
})

it('candidates without numbers have those of their places', () => {
  const candidates = [{ index: 'x' }, { index: -1 }, { index: 1e300 }, {}]
  assert.deepEqual(
    chat({ candidates }).choices.map(({ index }) => index),
    [0, 1, 2, 3],
  )
})

describe('what an answer rests on', () => {
  it('is told where it stands, in characters', () => {
    const text = 'Grüße. Über 10 Tore.'
    const [start, end] = ['Grüße. ', 'Grüße. Über 10 Tore'].map((one) => Buffer.byteLength(one)) as [number, number]
    const chunk = { web: { uri: 'https://a', title: 'A' } }
    const support = {
      segment: { startIndex: start, endIndex: end, text: 'Über 10 Tore' },
      groundingChunkIndices: [0, 7],
    }
    const unsaid = { retrievedContext: { uri: 'gs://b', text: 'B says' } }
    const { content } = choice({
      content: { parts: [{ text }] },
      groundingMetadata: { groundingChunks: [chunk, unsaid], groundingSupports: [support] },
      citationMetadata: { citations: [{ endIndex: 2, uri: 'https://c' }] },
    })
    const [part] = content
    assert.ok(part?.type === 'text')
    assert.deepEqual(
      part.citations!.map(({ own: _, ...citation }) => citation),
      [
        { url: 'https://a', title: 'A', quote: null, start: 7, end: 19 },
        { url: 'gs://b', title: null, quote: 'B says', start: null, end: null },
        { url: 'https://c', title: null, quote: null, start: 0, end: 2 },
      ],
    )
    assert.deepEqual(part.citations![0]!.own, { origin: 'gemini', value: { chunk, support } })
  })

  it('is nothing where nothing is told', () => {
    const { content } = choice({ content: { parts: [{ text: 'a' }] }, groundingMetadata: {} })
    assert.deepEqual(content, [{ type: 'text', text: 'a' }])
  })
})

describe('the end of an answer', () => {
  for (const [own, reason] of [
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content_filter'],
    ['RECITATION', 'content_filter'],
    ['IMAGE_PROHIBITED_CONTENT', 'content_filter'],
    ['MALFORMED_FUNCTION_CALL', 'error'],
    ['LANGUAGE', 'content_filter'],
    ['MISSING_THOUGHT_SIGNATURE', 'error'],
    ['OTHER', 'unknown'],
    ['toString', 'unknown'],
    ['', 'unknown'],
  ] as const) {
    it(`${own} is ${reason}`, () => {
      assert.deepEqual(choice({ finishReason: own }).finish, { reason, own, stopSequence: null })
    })
  }

  it('is a refused prompt, where there are no candidates', () => {
    const { choices, usage } = chat({
      promptFeedback: { blockReason: 'OTHER' },
      usageMetadata: { promptTokenCount: 3 },
    })
    const finish = { reason: 'content_filter', own: 'OTHER', stopSequence: null }
    assert.deepEqual(choices, [{ index: 0, content: [], finish, logprobs: null }])
    assert.equal(usage!.inputTokens, 3)
  })
})

it('logprobs are read', () => {
  const { logprobs } = choice({
    logprobsResult: {
      topCandidates: [{ candidates: [{ token: 'ü', logProbability: -0.5 }, { token: 'b' }] }],
      chosenCandidates: [
        { token: 'ü', logProbability: -0.5 },
        { token: 'c', logProbability: -1 },
      ],
    },
  })
  const first = { token: 'ü', logprob: -0.5, bytes: [195, 188] }
  assert.deepEqual(logprobs, [
    { ...first, top: [first, { token: 'b', logprob: 0, bytes: [98] }] },
    { token: 'c', logprob: -1, bytes: [99], top: [] },
  ])
})

it('an answer tells its id, time and tier', () => {
  const answer = chat({
    candidates: [{}],
    responseId: 'r',
    createTime: '2026-01-01T00:00:00.5Z',
    usageMetadata: { serviceTier: 'STANDARD' },
  })
  assert.deepEqual([answer.id, answer.created, answer.serviceTier], ['r', 1_767_225_600, 'default'])
})

describe('what is no answer', () => {
  for (const bad of [
    null,
    7,
    'text',
    [],
    {},
    { candidates: 'x' },
    { candidates: [] },
    { candidates: [7] },
    { choices: [{ message: { content: 'a' } }] },
    { type: 'message', content: [] },
  ]) {
    it(JSON.stringify(bad), () => assert.equal(read(bad), null))
  }

  it('has parts that are none', () => {
    const parts = [
      null,
      7,
      {},
      { text: 7 },
      { functionCall: 7 },
      { functionCall: { name: 7 } },
      { inlineData: { data: 7 } },
    ]
    assert.deepEqual(said(...(parts as object[])), [{ type: 'own', own: { origin: 'gemini', value: parts[6] } }])
    assert.deepEqual(choice({ content: { parts: 'x' } }).content, [])
    assert.deepEqual(choice({ content: 7, logprobsResult: 7, groundingMetadata: 7, citationMetadata: 7 }).content, [])
  })
})
