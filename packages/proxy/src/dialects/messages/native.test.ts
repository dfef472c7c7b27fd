/** Messages that pass from one who speaks the API to another: what is read of them, and what is changed. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { readCountBytes, readMessageBytes } from './answer.ts'
import { messagesErrors } from './errors.ts'
import { foldMessageStream } from './fold.ts'
import { mayHoldForeign, withoutForeign } from './native-body.ts'
import { MessageStream } from './stream.ts'
import { messageCallsTools } from './tools.ts'
import { unfoldMessage } from './unfold.ts'

const START =
  'event: message_start\ndata: { "type":"message_start","message":{"id":"m","model":"claude-x" ,"content":[],"usage":{"input_tokens":9,"cache_read_input_tokens":4,"output_tokens":1}}}\n\n'
const TEXT_START =
  'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
const PING = 'event: ping\ndata: {"type": "ping"}\n\n'
const DELTA =
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\\"model\\":\\"claude-x\\""}}\n\n'
const STOP = 'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
const END =
  'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":1.50e1}}\n\n'
const LAST = 'event: message_stop\ndata: {"type":"message_stop"}\n\n'

function observed(): { stream: MessageStream; take: (event: string) => string } {
  const stream = new MessageStream('"alias"')
  return { stream, take: (event) => stream.take(`--${event}--`, 2, event.length + 2) }
}

describe('a stream of the same API', () => {
  test('passes as it is, but for the name of the model', () => {
    const { stream, take } = observed()
    assert.equal(take(START), START.replace('"claude-x"', '"alias"'))
    for (const event of [TEXT_START, PING, ': comment\n\n']) assert.equal(take(event), event)
    assert.deepEqual([stream.hasContent, stream.contentEvents], [false, 0])
    assert.equal(take(DELTA), DELTA)
    assert.deepEqual([stream.hasContent, stream.contentEvents, stream.ended], [true, 1, false])
    for (const event of [DELTA, DELTA]) take(event)
    assert.deepEqual(
      [stream.usage?.inputTokens, stream.usage?.outputTokens, stream.usage?.source],
      [13, 3, 'ESTIMATED'],
    )
    for (const event of [STOP, END, LAST]) assert.equal(take(event), event)
    assert.equal(stream.ended, true)
    const { inputTokens, cachedInputTokens, outputTokens } = stream.usage!
    assert.deepEqual([inputTokens, cachedInputTokens, outputTokens, stream.usage!.source], [13, 4, 15, 'PROVIDER'])
  })

  test('has content with its first tool, too', () => {
    const { stream, take } = observed()
    take(
      'data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"b","input":{}}}\n\n',
    )
    assert.equal(stream.hasContent, true)
  })

  test('has content from the beginning where that says something', () => {
    const { stream, take } = observed()
    const begun = START.replace('"content":[]', '"content":[{"type":"text","text":"Hi"}]')
    assert.equal(take(begun), begun.replace('"claude-x"', '"alias"'))
    assert.equal(stream.hasContent, true)
  })

  test('is kept with line ends of any kind', () => {
    for (const newline of ['\r\n', '\r']) {
      const { take } = observed()
      const event = START.replaceAll('\n', newline)
      assert.equal(take(event), event.replace('"claude-x"', '"alias"'))
    }
  })

  test('fails with the error in it', () => {
    const { stream, take } = observed()
    assert.equal(
      take(
        'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Zu voll: \u00c3\u00bc"}}\n\n',
      ),
      '',
    )
    assert.deepEqual([stream.error?.type, stream.error?.message], ['overloaded_error', 'Zu voll: ü'])
    const other = observed()
    other.take('event: error\ndata: broken\n\n')
    assert.equal(other.stream.error?.message, 'broken')
  })
})

describe('an answer of the same API', () => {
  const ANSWER =
    '{ "model":"claude-x", "content":[{"type":"text","text":"model"}], "n":1.0, "usage":{"input_tokens":3,"output_tokens":4} }'

  test('passes as it is, but for the name of the model', () => {
    const read = readMessageBytes(ANSWER, '"alias"')
    assert.ok(read !== null && 'body' in read)
    assert.equal(read.body, ANSWER.replace('"claude-x"', '"alias"'))
    assert.deepEqual([read.usage!.inputTokens, read.usage!.outputTokens], [3, 4])
  })

  test('is an error, or none, where it says so', () => {
    const error = readMessageBytes('{"type":"error","error":{"type":"api_error","message":"No."}}', '"a"')
    assert.ok(error !== null && 'message' in error)
    assert.equal(error.message, 'No.')
    assert.equal(readMessageBytes('{"choices":[]}', '"a"'), null)
    assert.equal(readMessageBytes('<html>', '"a"'), null)
  })

  test('tells how many tokens a request has', () => {
    const read = readCountBytes('{"input_tokens": 7}')
    assert.ok(read !== null && 'body' in read)
    assert.deepEqual([read.body, read.usage], ['{"input_tokens": 7}', null])
    assert.equal(readCountBytes('{}'), null)
  })
})

describe('a message in its other form', () => {
  const MESSAGE =
    '{"id":"m","type":"message","model":"x","content":[{"type":"text","text":"a\u00c3\u00bc"},{"type":"tool_use","id":"t","name":"f","input":{"n":1.0}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":2,"odd":1e2}}'

  test('is the same again', () => {
    const stream = unfoldMessage(MESSAGE)!
    assert.equal(stream.ends.at(-1), stream.events.length)
    assert.equal(foldMessageStream(stream.events), MESSAGE)
  })

  test('is none where the stream is broken, or says what nobody knows', () => {
    const { events } = unfoldMessage(MESSAGE)!
    assert.notEqual(foldMessageStream(events), null)
    const broken = [
      events.replace(/event: message_stop[^]*/, ''),
      events.replace(/event: message_start\n.*\n\n/, ''),
      events.replace('text_delta', 'new_delta'),
      events.replace('"index":1', '"index":7'),
      events.replace('event: ping', 'event: x').replace('"type":"ping"', '"type":"x"'),
      events.replace('"partial_json":"{', '"partial_json":"{{'),
      `${events}${START}`,
      '',
      'data: x\n\n',
    ]
    for (const text of broken) assert.equal(foldMessageStream(text), null, text)
    for (const text of ['', '{}', '[]', '{"content":[],"stop_reason":null}', '{"content":[1],"stop_reason":"x"}']) {
      assert.equal(unfoldMessage(text), null, text)
    }
  })

  test('tells whether it calls tools', () => {
    assert.equal(messageCallsTools(MESSAGE), true)
    assert.equal(messageCallsTools(unfoldMessage(MESSAGE)!.events), true)
    assert.equal(
      messageCallsTools('{"content":[{"type":"text","text":"\\"tool_use\\""}],"stop_reason":"end_turn"}'),
      false,
    )
    assert.equal(messageCallsTools('{"content":[{"type":"\\u0074ool_use"}]}'), true)
  })
})

describe("a conversation on its way to Anthropic's API", () => {
  test('leaves behind what other providers thought and cited', () => {
    const text = { type: 'text', text: 'a' }
    const cited = { ...text, citations: [{ type: 'web_search_result_location', url: 'u', encrypted_index: '' }] }
    const own = { type: 'thinking', thinking: 'b', signature: 'abc' }
    const foreign = { type: 'thinking', thinking: 'c', signature: 'mr1.gemini.abc' }
    const unsigned = { type: 'thinking', thinking: 'c', signature: 'mr1.chat.' }
    const redacted = { type: 'redacted_thinking', data: 'mr1.converse.abc' }
    const messages = [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: [own, foreign, cited, unsigned, redacted] },
      { role: 'assistant', content: [foreign] },
    ]
    assert.deepEqual(withoutForeign(messages), [messages[0], { role: 'assistant', content: [own, text] }])
    assert.equal(mayHoldForeign(JSON.stringify(messages)), true)
    assert.equal(withoutForeign([messages[0]]), null)
    assert.equal(mayHoldForeign(JSON.stringify([{ role: 'assistant', content: [own] }])), false)
  })
})

describe("an error in Anthropic's shape", () => {
  test('has a type by its status', () => {
    const typeOf = (status: number): string =>
      JSON.parse(messagesErrors.body({ status, message: 'm', type: 't', param: null, code: null }, 'id')).error.type
    assert.deepEqual([400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504, 529].map(typeOf), [
      'invalid_request_error',
      'authentication_error',
      'permission_error',
      'not_found_error',
      'conflict_error',
      'request_too_large',
      'invalid_request_error',
      'rate_limit_error',
      'api_error',
      'api_error',
      'overloaded_error',
      'timeout_error',
      'overloaded_error',
    ])
  })

  test('names what is at fault, and whom the provider calls it', () => {
    const error = {
      status: 400,
      message: 'It has to be a list.',
      type: 't',
      param: 'tools',
      code: null,
      providerType: 'BAD',
    }
    assert.deepEqual(JSON.parse(messagesErrors.body(error, 'req')), {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'tools: It has to be a list.', provider_type: 'BAD' },
      request_id: 'req',
    })
    assert.match(messagesErrors.event(error, 'req', 0), /^event: error\ndata: \{"type":"error".*\}\n\n$/)
  })
})
