import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { ChatAnswer, Finish, StreamPart } from '../../canonical/answer.ts'
import type { Part } from '../../canonical/content.ts'
import type { Saying } from '../../canonical/writer.ts'
import { readResponse } from './answer-read.ts'
import { responsesWriter } from './answer-write.ts'
import { readResponsesRequest } from './request-read.ts'

const STOP: Finish = { reason: 'stop', own: null, stopSequence: null }
const START: StreamPart = {
  type: 'start',
  id: '',
  created: null,
  usage: null,
  serviceTier: null,
  systemFingerprint: null,
}

function sayingOf(body: Readonly<Record<string, unknown>>): Saying {
  const id = '019a9999-0000-7000-8000-00000000000a'
  return { model: 'alias', id, created: 1_700_000_000, request: readResponsesRequest(body), usageWanted: true }
}

function said(content: readonly Part[], finish = STOP, body: Readonly<Record<string, unknown>> = { input: 'x' }): any {
  const choices = [{ index: 0, content, finish, logprobs: null }]
  const more = { created: null, usage: null, serviceTier: null, systemFingerprint: null }
  return JSON.parse(responsesWriter.answer({ kind: 'chat', id: '', choices, ...more }, sayingOf(body)))
}

/** The data of each event. */
function streamed(parts: readonly StreamPart[]): any[] {
  const writer = responsesWriter.stream(sayingOf({ input: 'x' }))
  const events = parts
    .map((part) => writer.take(part))
    .join('')
    .split('\n\n')
    .slice(0, -1)
  return events.map((event) => JSON.parse(event.split('\ndata: ')[1]!))
}

test('the settings of a request are repeated', () => {
  const body = {
    input: 'x',
    instructions: 'Be short.',
    tools: [{ type: 'function', name: 'f', parameters: { type: 'object' } }],
    tool_choice: { type: 'function', name: 'f' },
    text: { verbosity: 'low' },
    reasoning: { effort: 'low', summary: 'detailed' },
    user: 'ann',
    max_output_tokens: 99,
  }
  const response = said([], STOP, body)
  assert.equal(response.instructions, 'Be short.')
  assert.deepEqual(response.tools, [
    { type: 'function', name: 'f', description: null, parameters: { type: 'object' }, strict: null },
  ])
  assert.deepEqual(response.tool_choice, body.tool_choice)
  assert.deepEqual(response.text, { format: { type: 'text' }, verbosity: 'low' })
  assert.deepEqual(response.reasoning, body.reasoning)
  assert.equal(response.user, 'ann')
  assert.equal(response.max_output_tokens, 99)
  assert.equal(response.store, false)
  assert.equal(response.model, 'alias')
})

test('an answer that was cut off is incomplete, and says why', () => {
  const cut = said([{ type: 'text', text: 'So' }], { ...STOP, reason: 'length' })
  assert.equal(cut.status, 'incomplete')
  assert.deepEqual(cut.incomplete_details, { reason: 'max_output_tokens' })
  assert.equal(cut.output[0].status, 'incomplete')
  const events = streamed([
    START,
    { type: 'finish', choice: 0, finish: { ...STOP, reason: 'error' } },
    { type: 'done' },
  ])
  assert.equal(events.at(-1).type, 'response.failed')
  assert.equal(events.at(-1).response.error.code, 'server_error')
})

test('logprobs are told with the text, as OpenAI tells them', () => {
  const logprobs = [{ token: 'é', logprob: -0.5, bytes: null, top: [{ token: 'e', logprob: -1, bytes: [101] }] }]
  const events = streamed([
    START,
    { type: 'text', choice: 0, block: 0, text: 'é', logprobs },
    { type: 'finish', choice: 0, finish: STOP },
    { type: 'done' },
  ])
  const told = [
    { token: 'é', logprob: -0.5, bytes: [195, 169], top_logprobs: [{ token: 'e', logprob: -1, bytes: [101] }] },
  ]
  assert.deepEqual(events.find(({ type }) => type === 'response.output_text.delta').logprobs, told)
  const { response } = events.at(-1)
  assert.deepEqual(response.output[0].content[0].logprobs, told)
  assert.equal(response.usage, undefined)
  assert.deepEqual((readResponse(response) as ChatAnswer).choices[0]!.logprobs, [{ ...logprobs[0], bytes: [195, 169] }])
})

test('calls that are told by turns have each its own arguments', () => {
  const call = (block: number, id: string): StreamPart => ({ type: 'tool_call', choice: 0, block, id, name: 'f' })
  const args = (block: number, text: string): StreamPart => ({ type: 'arguments', choice: 0, block, text })
  const { response } = streamed([
    START,
    call(0, 'a'),
    args(0, '{"x":'),
    call(1, 'b'),
    args(1, '{"x":'),
    args(0, '1}'),
    args(1, '2}'),
    call(2, 'c'),
    { type: 'finish', choice: 0, finish: { ...STOP, reason: 'tool_calls' } },
    { type: 'done' },
  ]).at(-1)
  assert.deepEqual(
    response.output.map((item: any) => [item.call_id, item.arguments, item.status]),
    [
      ['a', '{"x":1}', 'completed'],
      ['b', '{"x":2}', 'completed'],
      ['c', '{}', 'completed'],
    ],
  )
})

test('other choices than the first are left out', () => {
  assert.deepEqual(streamed([START, { type: 'text', choice: 1, block: 0, text: 'x' }]), streamed([START]))
})
