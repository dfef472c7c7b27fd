/** Answers of Anthropic's API, read and said again: whole, streamed, and streamed in pieces of any size. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import type { ChatAnswer } from '../../canonical/answer.ts'
import { messagesWriter } from './answer-write.ts'
import { BEGINNING, ENCODING, event, PARTS, partsOf, said, SAYING, STREAM, usage, whole } from './answers.fixture.ts'
import { messagesWire } from './wire.ts'

const names = (events: string): string[] => [...events.matchAll(/^event: (.*)$/gm)].map(([, name]) => name!)

describe('a streamed message', () => {
  test('is read, however its bytes are cut', () => {
    assert.deepEqual(partsOf(STREAM), PARTS)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }), (sizes) => {
        assert.deepEqual(partsOf(STREAM, sizes), PARTS)
      }),
      { numRuns: 50 },
    )
  })

  test('is read without names of events, and without its beginning', () => {
    assert.deepEqual(partsOf(STREAM.replace(/^event: .*\n/gm, '')), PARTS)
    const [first, ...rest] = partsOf(STREAM.slice(BEGINNING.length))
    assert.equal(first!.type, 'start')
    assert.deepEqual(rest.slice(0, 5), PARTS.slice(1, 6))
  })

  test('is said again as it was: the same blocks, in order, each opened and closed', () => {
    const events = said(PARTS)
    const again = whole(events)
    const before = whole(STREAM)
    assert.deepEqual(again.content, before.content)
    assert.deepEqual([again.model, again.stop_reason, again.id], ['alias', 'tool_use', 'msg_1'])
    assert.deepEqual(
      [again.usage.input_tokens, again.usage.cache_read_input_tokens, again.usage.output_tokens],
      [10, 5, 40],
    )
    assert.equal(again.usage.output_tokens_details?.thinking_tokens, 7)
    const order = names(events)
    assert.deepEqual(order.slice(0, 3), ['message_start', 'ping', 'content_block_start'])
    assert.deepEqual(order.slice(-2), ['message_delta', 'message_stop'])
    assert.equal(order.filter((name) => name === 'content_block_start').length, 6)
    assert.deepEqual(partsOf(events).slice(1), PARTS.slice(1))
  })

  test('is read where blocks come whole, or have no end', () => {
    const blocks = [
      { type: 'text', text: 'Hi.' },
      { type: 'tool_use', id: 'a', name: 'f', input: { n: 1 } },
      { type: 'tool_use', id: 'b', name: 'sh', input: { input: 'ls' } },
      { type: 'tool_use', id: 'c', name: 'sh', input: { other: 1 } },
      { type: 'mcp_tool_use', id: 'd', name: 'x', input: {} },
    ]
    const begun = blocks.map((content_block, index) => event({ type: 'content_block_start', index, content_block }))
    const ending = event({ type: 'message_delta', delta: { stop_reason: 'end_turn' } })
    const told = partsOf(BEGINNING + begun.join('') + ending)
    assert.deepEqual(
      told.flatMap((part) => ('text' in part ? [part.text] : part.type === 'part' ? [part.part.type] : [])),
      ['Hi.', '{"n":1}', 'ls', '{"other":1}', 'own'],
    )
    assert.deepEqual(
      told.flatMap((part) => ('block' in part ? [part.block] : [])),
      [0, 1, 1, 2, 2, 3, 3, 4],
    )
    assert.equal(told.at(-1)!.type, 'finish')
  })

  test('is read where its beginning says all of it, as after code that Anthropic ran, or some of it', () => {
    const message = {
      id: 'msg_2',
      content: [
        { type: 'code_execution_tool_result', tool_use_id: 'srv_1', content: { type: 'code_execution_result' } },
        { type: 'text', text: 'So:', citations: [{ type: 'char_location', cited_text: 'x', document_index: 0 }] },
        { type: 'tool_use', id: 'toolu_3', name: 'f', input: { n: 1 } },
      ],
      stop_reason: 'tool_use',
      usage: { input_tokens: 3, output_tokens: 2 },
    }
    const beginning = event({ type: 'message_start', message })
    const parts = partsOf(beginning + event({ type: 'message_stop' }), [7, 1])
    const types = 'start part citation text tool_call arguments finish usage done'
    assert.equal(parts.map(({ type }) => type).join(' '), types)
    const finish = { reason: 'tool_calls', own: 'tool_use', stopSequence: null }
    assert.deepEqual(parts.at(-3), { type: 'finish', choice: 0, finish })

    const more =
      event({ type: 'content_block_start', index: 3, content_block: { type: 'text', text: 'More.' } }) +
      event({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 9 } }) +
      event({ type: 'message_stop' })
    const continued = partsOf(beginning + more)
    assert.equal(
      continued.map(({ type }) => type).join(' '),
      types.replace('arguments finish', 'arguments text finish'),
    )
    assert.deepEqual(continued.at(-3), {
      type: 'finish',
      choice: 0,
      finish: { ...finish, reason: 'stop', own: 'end_turn' },
    })
  })

  test('with an error says nothing after it', () => {
    const failed = BEGINNING + event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })
    assert.deepEqual(partsOf(failed).at(-1), {
      type: 'error',
      error: { message: 'Overloaded', type: 'overloaded_error', code: null, param: null },
    })
  })

  test('of another API, or of none, says nothing', () => {
    const nonsense = [
      '<html>',
      '[DONE]',
      '1',
      'null',
      '{"choices":[{"delta":{"content":"x"}}]}',
      '{"type":7}',
      '{"type":"content_block_stop"}',
    ]
    for (const data of nonsense) assert.deepEqual(partsOf(`data: ${data}\n\n`), [], data)
    for (const type of [
      'message_start',
      'content_block_start',
      'content_block_delta',
      'message_delta',
      'message_stop',
    ]) {
      for (const rest of ['', ',"message":7,"delta":7,"content_block":7,"usage":7', ',"delta":[],"message":null']) {
        partsOf(`data: {"type":"${type}"${rest}}\n\n`)
      }
    }
  })

  test('of another provider is said in order, whatever it lacks', () => {
    const events = said([
      { type: 'start', id: '', created: 5, usage: null, serviceTier: null, systemFingerprint: null },
      { type: 'reasoning', choice: 0, block: 0, text: 'Hm' },
      { type: 'signature', choice: 0, block: 0, signature: { origin: 'gemini', value: 'g' } },
      { type: 'reasoning', choice: 0, block: 7, text: 'Well' },
      { type: 'text', choice: 0, block: 1, text: 'A' },
      { type: 'text', choice: 1, block: 0, text: 'another choice' },
      { type: 'tool_call', choice: 0, block: 2, id: '', name: 'f' },
      { type: 'tool_call', choice: 0, block: 3, id: 'c', name: 'g' },
      // Told by turns.
      { type: 'arguments', choice: 0, block: 2, text: '{"a":' },
      { type: 'arguments', choice: 0, block: 3, text: '{}' },
      { type: 'arguments', choice: 0, block: 2, text: '1}' },
      { type: 'signature', choice: 0, block: 3, signature: { origin: 'gemini', value: 'call' } },
      { type: 'finish', choice: 0, finish: { reason: 'stop', own: 'STOP', stopSequence: null } },
      { type: 'usage', usage: usage({ inputTokens: 9, cachedInputTokens: 4, outputTokens: 2 }) },
      { type: 'done' },
    ])
    const message = whole(events)
    assert.deepEqual(message.content, [
      { type: 'thinking', thinking: 'Hm', signature: 'mr1.gemini.g' },
      { type: 'thinking', thinking: 'Well', signature: 'mr1.chat.' },
      { type: 'text', text: 'A', citations: null },
      { type: 'tool_use', id: 'toolu_0190ab_2', name: 'f', input: { a: 1 } },
      { type: 'tool_use', id: 'c', name: 'g', input: {} },
      { type: 'thinking', thinking: '', signature: 'mr1.gemini.call' },
    ])
    assert.deepEqual([message.id, message.stop_reason], ['msg_0190ab', 'tool_use'])
    assert.deepEqual([message.usage.input_tokens, message.usage.cache_read_input_tokens], [5, 4])
  })
})

describe('a whole message', () => {
  const ANSWER = whole(STREAM)

  test('is read', () => {
    const answer = messagesWire.read(ANSWER, ENCODING) as ChatAnswer
    const [choice] = answer.choices
    assert.deepEqual(
      choice!.content.map(({ type }) => type),
      ['reasoning', 'reasoning', 'own', 'text', 'tool_call', 'tool_call'],
    )
    assert.deepEqual(choice!.content[5], {
      type: 'tool_call',
      id: 'toolu_2',
      name: 'sh',
      arguments: 'ls "xü',
      kind: 'custom',
    })
    assert.deepEqual(choice!.finish, { reason: 'tool_calls', own: 'tool_use', stopSequence: null })
    assert.deepEqual([answer.usage!.inputTokens, answer.usage!.reasoningTokens, answer.serviceTier], [18, 7, 'default'])
  })

  test('is said again as it was', () => {
    const answer = messagesWire.read(ANSWER, ENCODING) as ChatAnswer
    const again = JSON.parse(messagesWriter.answer(answer, SAYING))
    assert.deepEqual([again.model, again.id, again.stop_reason, again.type], ['alias', 'msg_1', 'tool_use', 'message'])
    assert.deepEqual(again.content.slice(0, 3), ANSWER.content.slice(0, 3))
    assert.deepEqual(again.content[5], ANSWER.content[5])
    assert.equal(again.usage.input_tokens, 10)
  })

  test('ends for each reason, both ways', () => {
    const reasons = [
      'end_turn',
      'max_tokens',
      'stop_sequence',
      'tool_use',
      'pause_turn',
      'refusal',
      'model_context_window_exceeded',
    ]
    for (const reason of reasons) {
      const message = {
        ...ANSWER,
        content: [],
        stop_reason: reason,
        stop_sequence: reason === 'stop_sequence' ? 'X' : null,
      }
      const answer = messagesWire.read(message, ENCODING) as ChatAnswer
      assert.notEqual(answer.choices[0]!.finish.reason, 'unknown')
      const again = JSON.parse(messagesWriter.answer(answer, SAYING))
      assert.deepEqual([again.stop_reason, again.stop_sequence], [reason, message.stop_sequence])
    }
  })

  test('of another API, or of none, is none', () => {
    for (const answer of [null, 1, 'x', [], {}, { choices: [] }, { content: 'x' }, { type: 'message' }]) {
      assert.equal(messagesWire.read(answer, ENCODING), null, JSON.stringify(answer))
    }
    const error = { type: 'error', error: { type: 'api_error', message: 'Broken.' } }
    assert.deepEqual(messagesWire.read(error, ENCODING), {
      kind: 'error',
      error: { message: 'Broken.', type: 'api_error', code: null, param: null },
    })
    messagesWire.read({ content: [null, 1, {}, { type: 'text' }, { type: 'tool_use' }], usage: 'x' }, ENCODING)
  })

  test('counts tokens', () => {
    assert.equal(messagesWriter.answer({ kind: 'count', inputTokens: 7 }, SAYING), '{"input_tokens":7}')
  })
})
