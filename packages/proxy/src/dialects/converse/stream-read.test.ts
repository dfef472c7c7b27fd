import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import {
  begin,
  delta,
  DONE,
  end,
  type Event,
  finish,
  in0,
  MEMO,
  MESSAGE,
  read,
  START,
  stop,
  TOLD,
} from './events.fixture.ts'
import { ConverseReader } from './stream-read.ts'

describe('ConverseReader', () => {
  it('reads texts, thoughts and calls', () => {
    const parts = read([
      MESSAGE,
      delta(0, { reasoningContent: { text: 'hm' } }),
      delta(0, { reasoningContent: { text: '' } }),
      delta(0, { reasoningContent: { signature: 'sig' } }),
      end(0),
      delta(1, { reasoningContent: { redactedContent: 'cmVk' } }),
      delta(1, { reasoningContent: { data: 'YmVmb3Jl' } }),
      end(1),
      delta(9, { reasoningContent: { text: '' } }),
      delta(9, { text: '' }),
      delta(2, { text: 'Hel' }),
      delta(2, { text: 'lo' }),
      end(2),
      begin(3, { toolUse: { toolUseId: 'a', name: 'f' } }),
      delta(3, { toolUse: { input: '{"x"' } }),
      delta(3, { toolUse: { input: ':1}' } }),
      end(3),
      begin(4, { toolUse: { toolUseId: 'b', name: 'g' } }),
      end(4),
      stop('tool_use'),
      TOLD,
    ])
    assert.deepEqual(parts, [
      START,
      in0(0, { type: 'reasoning', text: 'hm' }),
      in0(0, { type: 'signature', signature: { origin: 'converse', value: 'sig' } }),
      in0(1, { type: 'redacted', data: 'cmVk', origin: 'converse' }),
      in0(1, { type: 'redacted', data: 'YmVmb3Jl', origin: 'converse' }),
      in0(2, { type: 'text', text: 'Hel' }),
      in0(2, { type: 'text', text: 'lo' }),
      in0(3, { type: 'tool_call', id: 'a', name: 'f' }),
      in0(3, { type: 'arguments', text: '{"x"' }),
      in0(3, { type: 'arguments', text: ':1}' }),
      in0(4, { type: 'tool_call', id: 'b', name: 'g' }),
      in0(4, { type: 'arguments', text: '{}' }),
      finish('tool_calls', 'tool_use'),
      ...DONE,
    ])
  })

  it('copes with what recordings lack: a beginning, and blocks that end', () => {
    const parts = read([delta(0, { text: 'a' }), delta(1, { text: 'b' }), stop('end_turn'), TOLD])
    assert.deepEqual(parts, [
      START,
      in0(0, { type: 'text', text: 'a' }),
      in0(1, { type: 'text', text: 'b' }),
      finish('stop', 'end_turn'),
      ...DONE,
    ])
  })

  it('parts what one block of Bedrock has of two kinds', () => {
    const parts = read([delta(0, { reasoningContent: { text: 'hm' } }), delta(0, { text: 'a' })])
    assert.deepEqual(parts.slice(1), [in0(0, { type: 'reasoning', text: 'hm' }), in0(1, { type: 'text', text: 'a' })])
  })

  it('tells usage after the end, though it came before', () => {
    assert.deepEqual(read([delta(0, { text: 'a' }), TOLD, stop('end_turn')]).slice(2), [
      finish('stop', 'end_turn'),
      ...DONE,
    ])
  })

  it('is whole without usage, and not without its end', () => {
    assert.deepEqual(read([MESSAGE, stop('end_turn')]).slice(1), [finish('stop', 'end_turn'), { type: 'done' }])
    assert.deepEqual(read([MESSAGE, delta(0, { text: 'a' }), TOLD]), [START, in0(0, { type: 'text', text: 'a' })])
  })

  it('says nothing after its end', () => {
    const reader = new ConverseReader(MEMO)
    for (const [name, body] of [stop('end_turn'), TOLD]) reader.take(JSON.stringify(body), name)
    assert.deepEqual(reader.take('{"delta":{"text":"a"}}', 'contentBlockDelta'), [])
    assert.deepEqual(reader.close(), [])
  })

  for (const [own, reason] of [
    ['max_tokens', 'length'],
    ['guardrail_intervened', 'content_filter'],
    ['content_filtered', 'content_filter'],
    ['malformed_tool_use', 'error'],
    ['malformed_model_output', 'error'],
    ['model_context_window_exceeded', 'context_length'],
    ['something_new', 'unknown'],
    ['constructor', 'unknown'],
  ] as const) {
    it(`knows why an answer ends: ${own}`, () => {
      assert.deepEqual(read([stop(own)])[1], finish(reason, own))
    })
  }

  it('knows which sequence has stopped the answer', () => {
    const told = { additionalModelResponseFields: { delta: { stop_sequence: 'END' } } }
    assert.deepEqual(read([stop('stop_sequence', told)])[1], finish('stop_sequence', 'stop_sequence', 'END'))
    assert.deepEqual(
      read([stop('stop_sequence')], { ...MEMO, stop: 'ONLY' })[1],
      finish('stop_sequence', 'stop_sequence', 'ONLY'),
    )
  })

  it('reads citations and images', () => {
    const citation = {
      title: 'T',
      source: 'https://x.example/a',
      sourceContent: [{ text: 'quo' }, { text: 'ted' }],
      location: { documentChar: { documentIndex: 0, start: 1, end: 7 } },
    }
    const parts = read([
      delta(0, { text: 'So.' }),
      delta(0, { citation }),
      end(0),
      begin(1, { image: { format: 'webp' } }),
      delta(1, { image: { source: { bytes: 'QQ==' } } }),
      delta(1, { image: { source: { bytes: 'Qg==' } } }),
      end(1),
    ])
    assert.deepEqual(parts.slice(2), [
      in0(0, {
        type: 'citation',
        citation: {
          url: 'https://x.example/a',
          title: 'T',
          quote: 'quoted',
          start: 0,
          end: 3,
          own: { origin: 'converse', value: citation },
        },
      }),
      in0(1, {
        type: 'part',
        part: { type: 'image', source: { from: 'data', mediaType: 'image/webp', data: 'QUI=' } },
      }),
    ])
  })

  it('tells exceptions, and nothing after them', () => {
    for (const [name, body, error] of [
      ['throttlingException', { message: 'slow down' }, { type: 'throttlingException', message: 'slow down' }],
      ['modelStreamErrorException', { originalMessage: 'no' }, { type: 'modelStreamErrorException', message: 'no' }],
      ['validationException', 'nonsense', { type: 'validationException', message: 'unknown error' }],
      ['error', { code: 'InternalFailure', message: 'no' }, { type: 'InternalFailure', message: 'no' }],
      ['', { internalServerException: { message: 'no' } }, { type: 'internalServerException', message: 'no' }],
    ] as const) {
      const parts = read([MESSAGE, [name, body], delta(0, { text: 'a' }), stop('end_turn')])
      assert.deepEqual(parts, [START, { type: 'error', error: { code: null, param: null, ...error } }])
    }
  })

  it('reads events that are named in what they tell', () => {
    const events = [MESSAGE, delta(0, { text: 'a' }), stop('end_turn'), TOLD]
    const wrapped = events.map(([name, body]): Event => ['', { [name]: body }])
    assert.deepEqual(read(wrapped), read(events))
  })

  it('takes what is none for nothing', () => {
    for (const event of [
      ['', 'nonsense'],
      ['contentBlockDelta', 'null'],
      ['contentBlockDelta', '[1]'],
      ['contentBlockDelta', '{"delta":7}'],
      ['contentBlockDelta', '{"delta":{"text":7,"toolUse":{"input":7}}}'],
      ['contentBlockStart', '{"start":{"toolUse":[]}}'],
      ['metadata', '{"usage":"much"}'],
      ['somethingNew', '{"a":1}'],
      ['', '{"choices":[{"delta":{"content":"a"}}]}'],
      ['message_start', '{"type":"message_start"}'],
    ] as const) {
      assert.deepEqual(
        read([event]).filter(({ type }) => type !== 'start'),
        [],
        event[1],
      )
    }
  })

  it('never fails, whatever comes', () => {
    const names = [
      'messageStart',
      'contentBlockStart',
      'contentBlockDelta',
      'contentBlockStop',
      'messageStop',
      'metadata',
      'throttlingException',
      'error',
      '',
    ]
    const said =
      'contentBlockIndex start delta text toolUse input name reasoningContent signature citation location ' +
      'sourceContent image source bytes usage inputTokens stopReason'
    const members = fc.constantFrom(...said.split(' '))
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, 7, -1, 'a', '', true, 'f_1'),
        fc.array(tie('value'), { maxLength: 2 }),
        fc.dictionary(members, tie('value')),
      ),
    }))
    const memo = { names: new Map([['f_1', 'f.1']]), customs: ['f.1'], stop: null }
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 8 }), (events) => {
        const parts = read(events, memo)
        const last = parts.findIndex(({ type }) => type === 'done' || type === 'error')
        assert.ok(last < 0 || last === parts.length - 1, 'nothing comes after the end')
      }),
      { numRuns: 500 },
    )
  })
})
