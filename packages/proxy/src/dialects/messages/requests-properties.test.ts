/** What the dialect can say of a request is the same after it was written and read again. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import fc from 'fast-check'

import type { CacheMark, Part, ToolResultPart } from '../../canonical/content.ts'
import { parseExact } from '../../canonical/exact-json.ts'
import { NO_PARAMS, type ChatRequest, type Message, type Reasoning, type Tool } from '../../canonical/request.ts'
import { readMessagesRequest } from './request-read.ts'
import { encodeMessages } from './request-write.ts'

/** Lone surrogates too. */
const said = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => `${text}x`)
const word = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_-]{0,20}$/)
const object = fc.dictionary(
  fc.string({ maxLength: 5 }).filter((key) => key !== '__proto__'),
  fc.jsonValue({ maxDepth: 2 }),
)
const base64 = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const cache = fc.option(fc.constantFrom<CacheMark>({ ttl: null }, { ttl: '5m' }, { ttl: '1h' }), { freq: 20 })
const marked = cache.map((mark) => (mark === null ? {} : { cache: mark }))

const text: fc.Arbitrary<Part> = fc.tuple(said, marked).map(([words, mark]) => ({ type: 'text', text: words, ...mark }))
const image: fc.Arbitrary<Part> = fc.oneof(
  base64.map((data): Part => ({ type: 'image', source: { from: 'data', mediaType: 'image/png', data } })),
  fc.constant<Part>({ type: 'image', source: { from: 'url', url: 'https://a.example/b.png' } }),
)
const file: fc.Arbitrary<Part> = fc.oneof(
  base64.map((data): Part => ({
    type: 'file',
    source: { from: 'data', mediaType: 'application/pdf', data },
    filename: 'a.pdf',
  })),
  said.map((words): Part => ({ type: 'file', source: { from: 'text', text: words }, citations: true })),
)
const thought: fc.Arbitrary<Part> = fc.oneof(
  fc
    .tuple(said, word)
    .map(([words, value]): Part => ({ type: 'reasoning', text: words, signature: { origin: 'messages', value } })),
  word.map((data): Part => ({
    type: 'reasoning',
    text: '',
    signature: { origin: 'messages', value: '' },
    redacted: data,
  })),
)
const own: fc.Arbitrary<Part> = object.map((value) => ({
  type: 'own',
  own: { origin: 'messages', value: { type: 'web_search_tool_result', tool_use_id: 'srv', content: value } },
}))

interface Turn {
  readonly question: readonly Part[]
  readonly answer: readonly Part[]
  readonly calls: readonly { readonly name: string; readonly input: object }[]
  readonly result: ToolResultPart['content']
}

const turn: fc.Arbitrary<Turn> = fc.record({
  question: fc.array(fc.oneof(text, image, file), { minLength: 1, maxLength: 3 }),
  answer: fc.array(fc.oneof(text, thought, own), { minLength: 1, maxLength: 3 }),
  calls: fc.array(fc.record({ name: word, input: object }), { maxLength: 2 }),
  result: fc.array(fc.oneof(text, image), { maxLength: 2 }) as fc.Arbitrary<ToolResultPart['content']>,
})

/** Each turn's calls are answered in the message that has the next question. */
function conversation(turns: readonly Turn[]): Message[] {
  const messages: Message[] = []
  let results: Part[] = []
  for (const [i, { question, answer, calls, result }] of turns.entries()) {
    messages.push({ role: 'user', content: [...results, ...question] })
    const called = calls.map((call, j) => ({ ...call, id: `toolu_${i}_${j}` }))
    results = called.map(({ id, name }): Part => ({ type: 'tool_result', id, name, content: result }))
    const parts = called.map(({ id, name, input }): Part => ({
      type: 'tool_call',
      id,
      name,
      arguments: JSON.stringify(input),
    }))
    messages.push({ role: 'assistant', content: [...answer, ...parts] })
  }
  messages.push({ role: 'user', content: [...results, { type: 'text', text: 'Go on.' }] })
  return messages
}

const tool: fc.Arbitrary<Tool> = fc.oneof(
  fc.record({ name: word, description: fc.option(said), properties: object }).map(({ properties, ...rest }): Tool => ({
    type: 'function',
    ...rest,
    parameters: { type: 'object', properties },
    strict: null,
  })),
  fc.constant<Tool>({
    type: 'own',
    name: 'web_search',
    own: { origin: 'messages', value: { type: 'web_search_20250305', name: 'web_search' } },
  }),
)
const reasoning: fc.Arbitrary<Reasoning | null> = fc.constantFrom<Reasoning | null>(
  null,
  { effort: null, budget: null, enabled: true, shown: false },
  { effort: 'medium', budget: null, enabled: true, shown: true },
  { effort: 'max', budget: null, enabled: true, shown: true },
)
const request: fc.Arbitrary<ChatRequest> = fc
  .record({
    system: fc.array(text as fc.Arbitrary<Extract<Part, { type: 'text' }>>, { maxLength: 2 }),
    turns: fc.array(turn, { maxLength: 3 }),
    tools: fc.array(tool, { minLength: 1, maxLength: 3 }),
    toolChoice: fc.constantFrom({ type: 'auto' as const }, { type: 'none' as const }),
    parallelToolCalls: fc.constantFrom(false, null),
    reasoning,
    maxTokens: fc.integer({ min: 1, max: 100_000 }),
    stop: fc.option(fc.array(said, { minLength: 1, maxLength: 2 })),
    user: fc.option(word),
    serviceTier: fc.constantFrom(null, 'default'),
    stream: fc.boolean(),
  })
  .map(({ turns, maxTokens, stop, user, serviceTier, ...rest }) => ({
    kind: 'chat',
    ...rest,
    // `none` cannot be told with a limit to one call.
    parallelToolCalls: rest.toolChoice.type === 'none' ? null : rest.parallelToolCalls,
    messages: conversation(turns),
    format: null,
    params: { ...NO_PARAMS, maxTokens, stop, user, serviceTier },
    named: {},
    unknown: [],
  }))

/** More marks than these are left out. */
function marksIn(value: unknown): number {
  return JSON.stringify(value).split('"cache":').length - 1
}

describe('any request', () => {
  test('is the same after it was put in the words of the API', () => {
    fc.assert(
      fc.property(request, (before) => {
        fc.pre(marksIn(before) <= 4)
        const { body, dropped } = encodeMessages(before, { model: 'claude-opus-4-8', stream: before.stream })
        assert.deepEqual(dropped, [])
        const after = readMessagesRequest(parseExact(body) as Record<string, unknown>)
        assert.deepEqual(JSON.stringify({ ...after, named: {} }), JSON.stringify({ ...after, ...before, named: {} }))
      }),
      { numRuns: 300 },
    )
  })
})
