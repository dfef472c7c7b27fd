/** All that a response can say, as answer and as stream, held to OpenAI's own description of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { responsesWriter } from '../../packages/proxy/dist/dialects/responses/answer-write.js'
import { responsesErrors } from '../../packages/proxy/dist/dialects/responses/errors.js'
import { foldResponsesStream } from '../../packages/proxy/dist/dialects/responses/fold.js'
import { readResponsesRequest } from '../../packages/proxy/dist/dialects/responses/request-read.js'
import { unfoldResponse } from '../../packages/proxy/dist/dialects/responses/unfold.js'
import { assertDescribed, assertResponseEvent, openApiMissing } from '../helpers/openapi.ts'

type StreamPart = Parameters<ReturnType<typeof responsesWriter.stream>['take']>[0]

const at = (block: number): { choice: 0; block: number } => ({ choice: 0, block })
const LOGPROBS = [{ token: 'é', logprob: -0.5, bytes: null, top: [{ token: 'e', logprob: -1, bytes: [101] }] }]
const CITATION = {
  url: 'https://a.example/',
  title: null,
  quote: null,
  start: null,
  end: null,
  own: { origin: 'messages' as const, value: {} },
}
const USAGE = {
  inputTokens: 9,
  outputTokens: 8,
  cachedInputTokens: 2,
  cacheWriteTokens: 1,
  reasoningTokens: 3,
  inputAudioTokens: 0,
  outputAudioTokens: 0,
  source: 'PROVIDER' as const,
}

const REQUEST = {
  model: 'alias',
  input: 'x',
  instructions: 'Be short.',
  user: 'ann',
  safety_identifier: 'hash',
  prompt_cache_key: 'k',
  metadata: { a: 'b' },
  max_output_tokens: 99,
  max_tool_calls: 3,
  temperature: 0.2,
  top_p: 0.9,
  top_logprobs: 2,
  truncation: 'auto',
  service_tier: 'flex',
  parallel_tool_calls: false,
  text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true }, verbosity: 'low' },
  reasoning: { effort: 'xhigh', summary: 'detailed' },
  tools: [
    { type: 'function', name: 'f' },
    { type: 'custom', name: 'g', format: { type: 'grammar', syntax: 'lark', definition: 'x' } },
    { type: 'web_search' },
  ],
  tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'f' }] },
}

const SAID: readonly StreamPart[] = [
  { type: 'start', id: 'x', created: 5, usage: null, serviceTier: 'standard', systemFingerprint: null },
  { type: 'reasoning', ...at(0), text: 'Hm' },
  { type: 'signature', ...at(0), signature: { origin: 'messages', value: 's' } },
  { type: 'redacted', ...at(1), data: 'xx', origin: 'converse' },
  { type: 'text', ...at(2), text: 'é', logprobs: LOGPROBS },
  { type: 'citation', ...at(2), citation: CITATION },
  { type: 'text', ...at(3), text: 'more' },
  { type: 'refusal', ...at(4), text: 'no' },
  { type: 'tool_call', ...at(5), id: 'c1', name: 'f' },
  { type: 'signature', ...at(5), signature: { origin: 'gemini', value: 's' } },
  { type: 'tool_call', ...at(6), id: 'c2', name: 'g', kind: 'custom' },
  { type: 'arguments', ...at(6), text: 'any' },
  { type: 'part', ...at(7), part: { type: 'image', source: { from: 'data', mediaType: 'image/png', data: 'aGk=' } } },
]

function eventsOf(text: string): any[] {
  return text
    .split('\n\n')
    .slice(0, -1)
    .map((event) => JSON.parse(event.slice(event.indexOf('\ndata: ') + 7)))
}

for (const reason of ['stop', 'length', 'content_filter', 'refusal', 'error', 'pause'] as const) {
  test(`of an answer that ends by ${reason}`, { skip: openApiMissing }, () => {
    for (const body of [{ model: 'alias', input: 'x' }, REQUEST]) {
      const request = readResponsesRequest(body)
      const id = '019a9999-0000-7000-8000-00000000000a'
      const writer = responsesWriter.stream({ model: 'alias', id, created: 1, request, usageWanted: true })
      let text = SAID.map((part) => writer.take(part)).join('')
      text += writer.take({ type: 'finish', choice: 0, finish: { reason, own: null, stopSequence: null } })
      text += writer.usage(USAGE) + writer.take({ type: 'done' })
      const events = eventsOf(text)
      for (const event of events) assertResponseEvent(event)
      const { response } = events.at(-1)
      assertDescribed('Response', response)
      assert.equal(response.output.length, 7)
      const unfolded = reason === 'error' ? null : unfoldResponse(JSON.stringify(response))
      if (unfolded === null) continue
      for (const event of eventsOf(unfolded.events).slice(2)) assertResponseEvent(event)
      assert.deepEqual(JSON.parse(foldResponsesStream(unfolded.events)!), response)
    }
  })
}

test('of a stream that fails', { skip: openApiMissing }, () => {
  const error = { status: 502, message: 'gone', type: 'upstream_error', param: null, code: null }
  const [event] = eventsOf(responsesErrors.event(error, 'id', 3))
  assertResponseEvent(event)
  assertDescribed('ErrorResponse', JSON.parse(responsesErrors.body(error, 'id')))
})
