import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { parseExact } from '../../canonical/exact-json.ts'
import { readAnswer } from './answer-read.ts'

const MEMO = { names: null, customs: [], stop: null }

function contentOf(blocks: readonly object[], memo: Parameters<typeof readAnswer>[1] = MEMO) {
  const answer = { output: { message: { role: 'assistant', content: blocks } }, stopReason: 'end_turn' }
  return readAnswer(parseExact(JSON.stringify(answer)), memo)!.choices[0]!.content
}

describe('readAnswer', () => {
  it('reads an answer', () => {
    const answer = readAnswer(
      {
        output: { message: { role: 'assistant', content: [{ text: 'Hello' }] } },
        stopReason: 'stop_sequence',
        additionalModelResponseFields: { stop_sequence: 'END' },
        usage: { inputTokens: 5, outputTokens: 2, totalTokens: 17, cacheReadInputTokens: 7, cacheWriteInputTokens: 3 },
        serviceTier: { type: 'flex' },
      },
      MEMO,
    )
    assert.deepEqual(answer, {
      kind: 'chat',
      id: '',
      created: null,
      choices: [
        {
          index: 0,
          content: [{ type: 'text', text: 'Hello' }],
          finish: { reason: 'stop_sequence', own: 'stop_sequence', stopSequence: 'END' },
          logprobs: null,
        },
      ],
      usage: {
        inputTokens: 15,
        outputTokens: 2,
        cachedInputTokens: 7,
        cacheWriteTokens: 3,
        reasoningTokens: 0,
        inputAudioTokens: 0,
        outputAudioTokens: 0,
        source: 'PROVIDER',
      },
      serviceTier: 'flex',
      systemFingerprint: null,
    })
  })

  it('reads thoughts, signed and unreadable', () => {
    const blocks = [
      { reasoningContent: { reasoningText: { text: 'hm', signature: 's' } } },
      { reasoningContent: { reasoningText: { text: 'unsigned' } } },
      { reasoningContent: { redactedContent: 'cmVk' } },
      { reasoningContent: { redactedReasoning: { data: 'YmVmb3Jl' } } },
    ]
    assert.deepEqual(contentOf(blocks), [
      { type: 'reasoning', text: 'hm', signature: { origin: 'converse', value: 's' } },
      { type: 'reasoning', text: 'unsigned', signature: null },
      { type: 'reasoning', text: '', signature: { origin: 'converse', value: '' }, redacted: 'cmVk' },
      { type: 'reasoning', text: '', signature: { origin: 'converse', value: '' }, redacted: 'YmVmb3Jl' },
    ])
  })

  it('reads calls, the spelling of their numbers as it came', () => {
    const answer =
      '{"output":{"message":{"content":[{"toolUse":{"toolUseId":"a","name":"f","input":{"n":1.10,"m":12345678901234567890}}},' +
      '{"toolUse":{"toolUseId":"b","name":"g"}}]}},"stopReason":"tool_use"}'
    assert.deepEqual(readAnswer(parseExact(answer), MEMO)!.choices[0]!.content, [
      { type: 'tool_call', id: 'a', name: 'f', arguments: '{"n":1.10,"m":12345678901234567890}' },
      { type: 'tool_call', id: 'b', name: 'g', arguments: '{}' },
    ])
  })

  it('gives tools back their names, and those that take any text their text', () => {
    const memo = { names: new Map([['f_1', 'f.1']]), customs: ['f.1'], stop: null }
    const call = (input: object) => ({ toolUse: { toolUseId: 'a', name: 'f_1', input } })
    assert.deepEqual(contentOf([call({ input: '*** x' }), call({ input: '' }), call({ other: 1 })], memo), [
      { type: 'tool_call', id: 'a', name: 'f.1', arguments: '*** x', kind: 'custom' },
      { type: 'tool_call', id: 'a', name: 'f.1', arguments: '', kind: 'custom' },
      { type: 'tool_call', id: 'a', name: 'f.1', arguments: '{"other":1}', kind: 'custom' },
    ])
  })

  it('reads calls that say that they are calls', () => {
    const call = { toolUse: { toolUseId: 'a', name: 'f', input: { n: 1 }, type: 'tool_use' } }
    assert.deepEqual(contentOf([call]), [{ type: 'tool_call', id: 'a', name: 'f', arguments: '{"n":1}' }])
  })

  it('reads what is cited, images, and keeps what it does not know', () => {
    const citation = { title: 'T', sourceContent: [{ text: 'q' }], location: { web: { url: 'https://x.example/' } } }
    const server = { toolUse: { toolUseId: 'a', name: 'search', type: 'server_tool_use', input: {} } }
    const blocks = [
      { citationsContent: { content: [{ text: 'So' }, { text: '.' }], citations: [citation] } },
      { image: { format: 'jpeg', source: { bytes: 'QQ==' } } },
      server,
    ]
    assert.deepEqual(contentOf(blocks), [
      {
        type: 'text',
        text: 'So.',
        citations: [
          {
            url: 'https://x.example/',
            title: 'T',
            quote: 'q',
            start: 0,
            end: 3,
            own: { origin: 'converse', value: citation },
          },
        ],
      },
      { type: 'image', source: { from: 'data', mediaType: 'image/jpeg', data: 'QQ==' } },
      { type: 'own', own: { origin: 'converse', value: server } },
    ])
  })

  it('takes nothing else for an answer', () => {
    for (const other of [
      null,
      'a',
      [],
      {},
      { choices: [] },
      { output: {}, stopReason: 'end_turn' },
      { output: { message: {} } },
    ]) {
      assert.equal(readAnswer(other, MEMO), null)
    }
    const odd = { output: { message: { content: [7, null, { text: 7 }] } }, stopReason: 'end_turn', usage: 'much' }
    assert.deepEqual(readAnswer(odd, MEMO)!.usage, null)
  })
})
