import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

import type { ChatAnswer, StreamPart } from '../../canonical/answer.ts'
import { EventSplitter, eventData, eventName } from '../../stream/events.ts'
import { readResponse } from './answer-read.ts'
import { ResponsesStreamReader } from './stream-read.ts'
import { responsesWire } from './wire.ts'

const RECORDINGS = new URL('../../../../../../shared/recordings/', import.meta.url)
const skip = existsSync(RECORDINGS) ? false : 'no recordings beside this checkout (../shared/recordings)'

function read(lines: readonly object[]): StreamPart[] {
  const reader = new ResponsesStreamReader()
  return [...lines.flatMap((line) => reader.take(JSON.stringify(line), '')), ...reader.close()]
}

function textOf(parts: readonly StreamPart[], type: StreamPart['type']): string {
  return parts.map((part) => (part.type === type && 'text' in part ? part.text : '')).join('')
}

/** As the proxy would get them, cut into so many bytes. */
function readCut(events: string, size: number): StreamPart[] {
  const splitter = new EventSplitter()
  const reader = new ResponsesStreamReader()
  const parts: StreamPart[] = []
  const bytes = Buffer.from(events)
  for (let at = 0; at < bytes.length; at += size) {
    splitter.pushBytes(bytes.subarray(at, at + size))
    while (splitter.next()) {
      const event = splitter.text.slice(splitter.start, splitter.end)
      parts.push(...reader.take(Buffer.from(eventData(event)!, 'latin1').toString('utf8'), eventName(event)))
    }
  }
  return parts
}

function recordings(suffix: string): { name: string; text: string }[] {
  return readdirSync(RECORDINGS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .map((name) => ({ name, text: readFileSync(new URL(name, RECORDINGS), 'utf8') }))
}

test('recorded streams say what their deltas say, however they are cut', { skip }, () => {
  const streams = recordings('.chunks.txt').filter(({ text }) => text.includes('"type":"response.created"'))
  assert.ok(streams.length > 0)
  for (const { name, text } of streams) {
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    const events = lines.map((line) => JSON.parse(line))
    const said = (type: string): string =>
      events.map((event) => (event.type === `response.${type}.delta` ? event.delta : '')).join('')
    const stream = lines.map((line) => `data: ${line}\n\n`).join('')
    const whole = readCut(stream, stream.length)
    assert.equal(textOf(whole, 'text'), said('output_text'), name)
    assert.equal(textOf(whole, 'arguments'), said('function_call_arguments') + said('custom_tool_call_input'), name)
    assert.equal(whole[0]!.type, events[0].type === 'error' ? 'error' : 'start', name)
    assert.equal(whole.at(-1)!.type, events.some(({ type }) => type === 'error') ? 'error' : 'done', name)
    for (const size of [1, 7, 1_000]) assert.deepEqual(readCut(stream, size), whole, name)
  }
})

test('recorded answers say what they say', { skip }, () => {
  const answers = recordings('.json').filter(({ text }) => /"object":\s*"response"/.test(text))
  assert.ok(answers.length > 0)
  for (const { name, text } of answers) {
    const recorded = JSON.parse(text)
    const answer = readResponse(recorded) as ChatAnswer
    assert.equal(answer.id, recorded.id, name)
    assert.equal(answer.usage!.inputTokens, recorded.usage.input_tokens, name)
    assert.equal(answer.usage!.cachedInputTokens, recorded.usage.input_tokens_details.cached_tokens, name)
    const { content } = answer.choices[0]!
    const expected = recorded.output.flatMap((item: any) => (item.type === 'message' ? item.content : [item]))
    assert.equal(content.length, expected.length, name)
    for (const [i, part] of content.entries()) {
      if (part.type === 'text') assert.equal(part.text, expected[i].text, name)
      if (part.type === 'tool_call') assert.equal(part.arguments, expected[i].arguments ?? expected[i].input, name)
    }
  }
})

const CREATED = {
  type: 'response.created',
  response: { id: 'resp_1', created_at: 5, service_tier: 'default', status: 'in_progress' },
}
const COMPLETED = {
  type: 'response.completed',
  response: { status: 'completed', output: [], usage: { input_tokens: 3, output_tokens: 2 } },
}

test('reasoning: its paragraphs are one text, and what is encrypted is its signature', () => {
  const thought = (index: number, delta: string): object => ({
    type: 'response.reasoning_summary_text.delta',
    output_index: 0,
    summary_index: index,
    delta,
  })
  const item = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'gAAA' }
  const parts = read([
    CREATED,
    thought(0, 'One'),
    thought(0, ' two'),
    thought(1, 'Three'),
    { type: 'response.output_item.done', output_index: 0, item },
    COMPLETED,
  ])
  assert.equal(textOf(parts, 'reasoning'), 'One two\n\nThree')
  assert.deepEqual(
    parts.find(({ type }) => type === 'signature'),
    {
      type: 'signature',
      choice: 0,
      block: 0,
      signature: { origin: 'responses', value: 'rs_1:gAAA' },
    },
  )
  assert.deepEqual(
    parts.slice(-3).map(({ type }) => type),
    ['finish', 'usage', 'done'],
  )
})

test('a server that only tells what is whole is understood: by items, or by the end', () => {
  const output = [
    { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm' }], encrypted_content: 'e' },
    {
      type: 'message',
      content: [{ type: 'output_text', text: 'Hi', annotations: [{ type: 'url_citation', url: 'u' }] }],
    },
    { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
    { type: 'custom_tool_call', call_id: 'd', name: 'g', input: 'x' },
    { type: 'image_generation_call', id: 'ig', status: 'completed', result: 'aGk=', output_format: 'webp' },
    { type: 'web_search_call', id: 'ws', status: 'completed' },
  ]
  const byItems = read([
    CREATED,
    ...output.map((item, i) => ({ type: 'response.output_item.done', output_index: i, item })),
    COMPLETED,
  ])
  const byEnd = read([CREATED, { ...COMPLETED, response: { ...COMPLETED.response, output } }])
  assert.deepEqual(byItems, byEnd)
  assert.deepEqual(
    byItems.map(({ type }) => type),
    'start reasoning signature text citation tool_call arguments tool_call arguments part part finish usage done'.split(
      ' ',
    ),
  )
  const finish = byItems.find(({ type }) => type === 'finish')
  assert.equal(finish?.type === 'finish' && finish.finish.reason, 'tool_calls')
})

test('a server that tells the item only by its id is understood', () => {
  const items = ['a', 'b'].map((id) => ({ id, type: 'function_call', call_id: `call_${id}`, name: id, arguments: '' }))
  const message = { id: 'm', type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }
  const piece = (item_id: string, delta: string): object => ({
    type: 'response.function_call_arguments.delta',
    item_id,
    delta,
  })
  const parts = read([
    CREATED,
    ...items.map((item, output_index) => ({ type: 'response.output_item.added', output_index, item })),
    piece('a', '{"x"'),
    piece('b', '{}'),
    piece('a', ':1}'),
    ...items.map((item, output_index) => ({ type: 'response.output_item.done', output_index, item })),
    { type: 'response.output_item.added', output_index: 2, item: message },
    { type: 'response.output_text.delta', item_id: 'm', delta: 'Hi' },
    { type: 'response.output_item.done', output_index: 2, item: message },
    COMPLETED,
  ])
  const said = parts.flatMap((part) => ('text' in part ? [[part.block, part.text]] : []))
  assert.deepEqual(said, [
    [0, '{"x"'],
    [1, '{}'],
    [0, ':1}'],
    [2, 'Hi'],
  ])
})

test('errors in a stream end it, in each of their shapes', () => {
  const error = { message: 'no', type: null, code: 'server_error', param: null }
  const shapes = [
    { type: 'error', code: 'server_error', message: 'no', param: null },
    { type: 'error', error: { code: 'server_error', message: 'no' } },
    { error: { code: 'server_error', message: 'no' } },
    { type: 'response.failed', response: { status: 'failed', error: { code: 'server_error', message: 'no' } } },
  ]
  for (const shape of shapes) assert.deepEqual(read([CREATED, shape, COMPLETED]).slice(1), [{ type: 'error', error }])
})

test('what is cut off tells so', () => {
  for (const [own, reason] of [
    ['max_output_tokens', 'length'],
    ['server_timeout', 'length'],
    ['content_filter', 'content_filter'],
  ] as const) {
    const response = { status: 'incomplete', incomplete_details: { reason: own }, output: [] }
    const finish = { reason, own, stopSequence: null }
    assert.deepEqual(read([CREATED, { type: 'response.incomplete', response }]).at(-2), {
      type: 'finish',
      choice: 0,
      finish,
    })
    assert.deepEqual((readResponse(response) as ChatAnswer).choices[0]!.finish, finish)
  }
})

test('what is no response is none, and a stream without its end has none', () => {
  for (const answer of [null, 5, [], {}, { choices: [] }, { output: 'x' }, { output: [], status: 'queued' }]) {
    assert.equal(readResponse(answer), null)
  }
  const reader = new ResponsesStreamReader()
  for (const data of [
    '[DONE]',
    '<html>',
    '5',
    'null',
    '[]',
    '{"choices":[]}',
    '{"type":7}',
    '{"type":"message_stop"}',
  ]) {
    assert.deepEqual(reader.take(data, ''), [])
  }
  const strange = [
    { type: 'response.output_text.delta' },
    { type: 'response.output_text.delta', delta: 5, output_index: 'x' },
    { type: 'response.output_item.done', item: 5 },
    { type: 'response.output_item.done', item: { type: 'message', content: 'x' } },
    { type: 'response.output_item.added', item: { type: 'function_call' } },
    { type: 'response.function_call_arguments.delta', delta: { a: 1 } },
    { type: 'response.unheard_of', delta: 'x' },
    { type: 'response.completed', response: 'x' },
  ]
  assert.equal(
    read(strange).some(({ type }) => type === 'done' || type === 'text'),
    false,
  )
})

test('refusals of a request are read, as OpenAI and Azure have them', () => {
  const error = { message: 'no', type: 'invalid_request_error', param: 'model', code: null }
  assert.deepEqual(responsesWire.readError(400, { error }, {}), error)
  assert.deepEqual(responsesWire.readError(429, { error: { code: '429', message: 'slow' } }, {}), {
    message: 'slow',
    type: null,
    code: '429',
    param: null,
  })
  assert.equal(responsesWire.readError(502, '<html>', {}).message, '<html>')
})
