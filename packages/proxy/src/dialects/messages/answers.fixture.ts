/** Streams of Anthropic's API for tests, and what stands in them. */
import assert from 'node:assert/strict'

import { NO_USAGE, type TokenUsage } from '@millrace/shared'

import type { StreamPart } from '../../canonical/answer.ts'
import { PLAIN_REQUEST } from '../../canonical/request.fixture.ts'
import type { ChatRequest } from '../../canonical/request.ts'
import type { Encoding } from '../../canonical/wire.ts'
import type { Saying } from '../../canonical/writer.ts'
import { eventData, eventName, EventSplitter } from '../../stream/events.ts'
import { messagesWriter } from './answer-write.ts'
import { foldMessageStream } from './fold.ts'
import { messagesWire } from './wire.ts'

const REQUEST: ChatRequest = {
  ...PLAIN_REQUEST,
  messages: [],
  stream: true,
}
export const SAYING: Saying = { model: 'alias', id: '0190-ab', created: 1, request: REQUEST, usageWanted: true }
export const ENCODING: Encoding = { dropped: [], answerTool: null, memo: { custom: new Set(['sh']) } }

export function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

export function latin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** All parts of a stream that comes in pieces of these sizes. @param events as they are on the wire */
export function partsOf(events: string, sizes: readonly number[] = [events.length]): StreamPart[] {
  const reader = messagesWire.reader(ENCODING)
  const splitter = new EventSplitter()
  const parts: StreamPart[] = []
  const bytes = Buffer.from(events)
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    splitter.pushBytes(bytes.subarray(at, at + size))
    at += size
    while (splitter.next()) {
      const event = splitter.text.slice(splitter.start, splitter.end)
      parts.push(...reader.take(utf8(eventData(event) ?? ''), eventName(event)))
    }
  }
  return [...parts, ...reader.close()]
}

/** What clients get of these parts. */
export function said(parts: readonly StreamPart[]): string {
  const writer = messagesWriter.stream(SAYING)
  return parts
    .map((part) => (part.type === 'usage' ? writer.usage(part.usage) : part.type === 'error' ? '' : writer.take(part)))
    .join('')
}

export interface WholeMessage {
  readonly id: string
  readonly model: string
  readonly stop_reason: string
  readonly content: readonly Readonly<Record<string, unknown>>[]
  readonly usage: {
    readonly input_tokens: number
    readonly cache_read_input_tokens: number
    readonly output_tokens: number
    readonly output_tokens_details: { readonly thinking_tokens: number } | null
  }
}

/** A stream as one answer. */
export function whole(events: string): WholeMessage {
  const folded = foldMessageStream(latin1(events))
  assert.ok(folded !== null, 'the stream can be made one answer')
  return JSON.parse(utf8(folded)) as WholeMessage
}

const delta = (index: number, value: object): string => event({ type: 'content_block_delta', index, delta: value })
export const event = (value: { readonly type: string; readonly [member: string]: unknown }): string =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`
const start = (index: number, block: object): string =>
  event({ type: 'content_block_start', index, content_block: block })
const stop = (index: number): string => event({ type: 'content_block_stop', index })

const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: {
    input_tokens: 10,
    cache_read_input_tokens: 5,
    cache_creation_input_tokens: 3,
    output_tokens: 1,
    service_tier: 'standard',
  },
}
export const BEGINNING = event({ type: 'message_start', message: MESSAGE })
const ENDING =
  event({
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 40, output_tokens_details: { thinking_tokens: 7 } },
  }) + event({ type: 'message_stop' })
const CITATION = {
  type: 'web_search_result_location',
  url: 'https://a.example',
  title: 'A',
  cited_text: 'x',
  encrypted_index: 'E',
}
/** All that a stream may have in it. */
export const STREAM =
  BEGINNING +
  start(0, { type: 'thinking', thinking: '', signature: '' }) +
  delta(0, { type: 'thinking_delta', thinking: 'Ü' }) +
  delta(0, { type: 'signature_delta', signature: 'sig' }) +
  stop(0) +
  ': a comment\n\n' +
  event({ type: 'ping' }) +
  start(1, { type: 'redacted_thinking', data: 'zzz' }) +
  stop(1) +
  start(2, { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: {} }) +
  delta(2, { type: 'input_json_delta', partial_json: '{"query":' }) +
  delta(2, { type: 'input_json_delta', partial_json: '"a"}' }) +
  stop(2) +
  start(3, { type: 'text', text: '' }) +
  delta(3, { type: 'citations_delta', citation: CITATION }) +
  delta(3, { type: 'text_delta', text: 'Hello 😀' }) +
  stop(3) +
  start(4, { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }) +
  delta(4, { type: 'input_json_delta', partial_json: '' }) +
  delta(4, { type: 'input_json_delta', partial_json: '{"n":12345678901234567890}' }) +
  stop(4) +
  start(5, { type: 'tool_use', id: 'toolu_2', name: 'sh', input: {} }) +
  delta(5, { type: 'input_json_delta', partial_json: '{ "in' }) +
  delta(5, { type: 'input_json_delta', partial_json: 'put": "ls \\' }) +
  delta(5, { type: 'input_json_delta', partial_json: '"x\\u00' }) +
  delta(5, { type: 'input_json_delta', partial_json: 'fc"}' }) +
  stop(5) +
  ENDING
/** What {@link STREAM} says. */
export const PARTS: StreamPart[] = [
  {
    type: 'start',
    id: 'msg_1',
    created: null,
    usage: usage({ inputTokens: 18, cachedInputTokens: 5, cacheWriteTokens: 3, outputTokens: 1 }),
    serviceTier: 'default',
    systemFingerprint: null,
  },
  { type: 'reasoning', choice: 0, block: 0, text: 'Ü' },
  { type: 'signature', choice: 0, block: 0, signature: { origin: 'messages', value: 'sig' } },
  { type: 'redacted', choice: 0, block: 1, data: 'zzz', origin: 'messages' },
  {
    type: 'part',
    choice: 0,
    block: 2,
    part: {
      type: 'own',
      own: {
        origin: 'messages',
        value: { type: 'server_tool_use', id: 'srv_1', name: 'web_search', input: { query: 'a' } },
      },
    },
  },
  {
    type: 'citation',
    choice: 0,
    block: 3,
    citation: {
      url: 'https://a.example',
      title: 'A',
      quote: 'x',
      start: null,
      end: null,
      own: { origin: 'messages', value: CITATION },
    },
  },
  { type: 'text', choice: 0, block: 3, text: 'Hello 😀' },
  { type: 'tool_call', choice: 0, block: 4, id: 'toolu_1', name: 'f' },
  { type: 'arguments', choice: 0, block: 4, text: '{"n":12345678901234567890}' },
  { type: 'tool_call', choice: 0, block: 5, id: 'toolu_2', name: 'sh', kind: 'custom' },
  { type: 'arguments', choice: 0, block: 5, text: 'ls ' },
  { type: 'arguments', choice: 0, block: 5, text: '"x' },
  { type: 'arguments', choice: 0, block: 5, text: 'ü' },
  { type: 'finish', choice: 0, finish: { reason: 'tool_calls', own: 'tool_use', stopSequence: null } },
  {
    type: 'usage',
    usage: usage({ inputTokens: 18, cachedInputTokens: 5, cacheWriteTokens: 3, outputTokens: 40, reasoningTokens: 7 }),
  },
  { type: 'done' },
]

export function usage(some: Partial<TokenUsage>): TokenUsage {
  return { ...NO_USAGE, source: 'PROVIDER', ...some }
}
