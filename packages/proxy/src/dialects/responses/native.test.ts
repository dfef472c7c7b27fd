import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readResponseAnswer } from './answer.ts'
import { responseCallsTools } from './calls.ts'
import { responsesErrors } from './errors.ts'
import { foldResponsesStream } from './fold.ts'
import { withoutForeignThoughts } from './native-body.ts'
import { sealThought } from './reasoning-seal.ts'
import { ResponsesStream } from './stream.ts'
import { unfoldResponse } from './unfold.ts'

const MODEL = '"my-alias"'
const USAGE =
  '{"input_tokens":7,"input_tokens_details":{"cached_tokens":3},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":12}'

function event(type: string, members: string, number: number): string {
  return `event: ${type}\ndata: {"type":"${type}","sequence_number":${number},${members}}\n\n`
}

function responseWith(status: string, more: string): string {
  return `"response":{"id":"resp_1","object":"response","status":"${status}","model":"gpt-5-2025","temperature":1.0${more}}`
}

function take(observer: ResponsesStream, text: string): string {
  return observer.take(text, 0, text.length)
}

test('only the model is renamed, wherever a response stands in an event', () => {
  const observer = new ResponsesStream(MODEL)
  const created = event('response.created', responseWith('in_progress', ',"model":"again"'), 0)
  assert.equal(take(observer, created), created.replace('"gpt-5-2025"', MODEL).replace('"again"', MODEL))
  const delta = event('response.output_text.delta', '"delta":"the \\"model\\": \\u0022x"', 1)
  assert.equal(take(observer, delta), delta)
  const lines =
    'event: response.in_progress\r\ndata: {"response":{"model":\r\ndata:"x"},\r\ndata: "type":"response.in_progress"}\r\n\r\n'
  assert.equal(take(observer, lines), lines.replace('"x"', MODEL))
})

test('content begins with the first delta or call, not with the empty frames before', () => {
  const observer = new ResponsesStream(MODEL)
  const begins = [
    event('response.created', responseWith('in_progress', ''), 0),
    event('response.in_progress', responseWith('in_progress', ''), 1),
    event('response.output_item.added', '"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}', 2),
    event('response.output_item.added', '"output_index":1,"item":{"id":"m_1","type":"message","content":[]}', 3),
    event('response.content_part.added', '"item_id":"m_1","part":{"type":"output_text","text":""}', 4),
    ': ping\n\n',
  ]
  for (const one of begins) {
    assert.equal(take(observer, one).includes('gpt-5-2025'), false)
    assert.equal(observer.hasContent, false)
  }
  assert.equal(observer.sequence, 5)
  take(observer, event('response.output_item.added', '"output_index":2,"item":{"type":"function_call","name":"f"}', 5))
  assert.equal(observer.hasContent, true)
  take(observer, event('response.function_call_arguments.delta', '"delta":"{"', 6))
  assert.equal(observer.contentEvents, 1)
})

test('the terminal event ends the stream and tells its usage', () => {
  for (const status of ['completed', 'incomplete']) {
    const observer = new ResponsesStream(MODEL)
    const end = event(`response.${status}`, responseWith(status, `,"output":[],"usage":${USAGE}`), 41)
    assert.equal(take(observer, end), end.replace('"gpt-5-2025"', MODEL))
    assert.equal(observer.ended, true)
    assert.deepEqual(observer.usage, {
      inputTokens: 7,
      outputTokens: 5,
      cachedInputTokens: 3,
      cacheWriteTokens: 0,
      reasoningTokens: 2,
      inputAudioTokens: 0,
      outputAudioTokens: 0,
      source: 'PROVIDER',
    })
    assert.equal(observer.sequence, 42)
  }
})

test('errors are found in each of the shapes that OpenAI has for them', () => {
  const failure = { message: 'Überlastet', type: null, code: 'server_error' }
  const shapes: [string, object][] = [
    [event('error', '"code":"server_error","message":"Überlastet","param":null', 3), failure],
    [event('error', '"error":{"type":"t","code":"server_error","message":"Überlastet"}', 3), { ...failure, type: 't' }],
    [`data: {"error":{"type":"t","code":"server_error","message":"Überlastet"}}\n\n`, { ...failure, type: 't' }],
    [
      event('response.failed', responseWith('failed', ',"error":{"code":"server_error","message":"Überlastet"}'), 3),
      failure,
    ],
  ]
  for (const [text, expected] of shapes) {
    const observer = new ResponsesStream(MODEL)
    assert.equal(take(observer, Buffer.from(text).toString('latin1')), '')
    assert.deepEqual(observer.error, expected)
    assert.equal(observer.ended, false)
  }
})

test('what another API answers neither ends the stream nor breaks it', () => {
  const observer = new ResponsesStream(MODEL)
  for (const text of [
    'data: {"choices":[{"delta":{"content":"x"}}],"model":"m"}\n\n',
    'data: [DONE]\n\n',
    'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    'data: nonsense\n\n',
    'data: {"type":5}\n\n',
    'data: {"type":"response.completed","response":"none"}\n\n'.replace('completed', 'in_progress'),
  ]) {
    assert.equal(take(observer, text), text)
    assert.equal(observer.ended, false)
    assert.equal(observer.hasContent, false)
  }
})

test('a whole answer keeps its bytes but for the model', () => {
  const answer = `{ "model": "gpt-5", "output": [ {"type":"message"} ], "big": 1.0e5, "usage": ${USAGE} }`
  const read = readResponseAnswer(answer, MODEL)
  assert.ok(read !== null && 'body' in read)
  assert.equal(read.body, answer.replace('"gpt-5"', MODEL))
  assert.equal(read.usage?.inputTokens, 7)
  assert.equal(readResponseAnswer('{"choices":[]}', MODEL), null)
  assert.equal(readResponseAnswer('<html>', MODEL), null)
  assert.deepEqual(readResponseAnswer('{"error":{"message":"no","type":"t","code":null},"output":[]}', MODEL), {
    message: 'no',
    type: 't',
    code: null,
  })
})

test('a stream folds into the response of its end, byte for byte, and unfolds again', () => {
  const item =
    '{"id":"m","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"h\\u00e9","annotations":[{"type":"url_citation","n":1.0}],"logprobs":[]}]}'
  const response = `{"id":"resp_1","object":"response","status":"completed","error":null,"model":"a","output":[${item}],"usage":${USAGE},"temperature":1.0}`
  const unfolded = unfoldResponse(response)
  assert.ok(unfolded)
  assert.deepEqual(unfolded.ends, [unfolded.events.length])
  assert.equal(foldResponsesStream(unfolded.events), response)
  assert.match(unfolded.events, /"delta":"h\\u00e9"/)
  assert.equal(foldResponsesStream(unfolded.events.slice(0, -200)), null)
  assert.equal(foldResponsesStream(`${unfolded.events}${event('error', '"message":"x"', 99)}`), null)
  for (const none of [
    '{}',
    response.replace('"completed"', '"failed"'),
    response.replace('null', '{"code":"x"}'),
    '<html>',
  ]) {
    assert.equal(unfoldResponse(none), null, none)
  }
})

test('an end that does not repeat what was said is no answer', () => {
  const delta = event('response.output_text.delta', '"delta":"x"', 0)
  const end = event('response.completed', responseWith('completed', ',"output":[]'), 1)
  assert.equal(foldResponsesStream(delta + end), null)
})

test('calls that wait for their reader are told from what the provider did itself', () => {
  assert.equal(responseCallsTools('{"output":[{"type": "function_call"}]}', null), true)
  assert.equal(responseCallsTools('{"output":[{"type":"custom_tool_c\\u0061ll"}]}', null), true)
  assert.equal(
    responseCallsTools('{"output":[{"type":"web_search_call"},{"text":"\\"type\\":\\"function_call\\""}]}', null),
    false,
  )
})

test('the error of a stream has the members of OpenAI’s event, and the object that its SDKs look for', () => {
  const error = { status: 502, message: 'gone', type: 'upstream_error', param: null, code: 'all_routes_failed' }
  const [name, data] = responsesErrors.event(error, 'id', 12).split('\n')
  assert.equal(name, 'event: error')
  assert.deepEqual(JSON.parse(data!.slice('data: '.length)), {
    type: 'error',
    sequence_number: 12,
    code: 'all_routes_failed',
    message: 'gone',
    param: null,
    error: { message: 'gone', type: 'upstream_error', param: null, code: 'all_routes_failed' },
  })
})

test('thoughts of other providers do not get to OpenAI', () => {
  const own = { type: 'reasoning', id: 'rs_1', encrypted_content: 'gAAA' }
  const foreign = {
    type: 'reasoning',
    id: 'rs_2',
    encrypted_content: sealThought({ text: 'x', signature: { origin: 'gemini', value: 's' } }),
  }
  assert.deepEqual(withoutForeignThoughts([own, foreign, { role: 'user' }]), [own, { role: 'user' }])
  assert.equal(withoutForeignThoughts([own]), null)
  assert.equal(withoutForeignThoughts('x'), null)
})

test('an error in an error in an error is one all the same', () => {
  const deep = '{"error":'.repeat(50_000) + '{}' + '}'.repeat(50_000)
  const stream = new ResponsesStream('"m"')
  const failed = `data: {"type":"error","error":${deep}}\n\n`
  stream.take(failed, 0, failed.length)
  assert.equal(stream.error?.message, 'unknown error')
  const read = readResponseAnswer(`{"error":${deep}}`, '"m"')
  assert.ok(read !== null && 'message' in read)
})
