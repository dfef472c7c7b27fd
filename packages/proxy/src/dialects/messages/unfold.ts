/** A whole message said as a stream. */
import { isUtf8 } from 'node:buffer'

import { parseExact } from '../../canonical/exact-json.ts'
import { isObject, listOf, type JsonObject } from '../../canonical/values.ts'
import type { StreamedForm } from '../../stream/forms.ts'
import { unlessRefused } from '../../stream/json-fold.ts'
import { latin1FromUtf8 } from '../../stream/json.ts'

/** What is told at the end only. */
const AT_END = ['stop_reason', 'stop_sequence', 'stop_details', 'container']
/** What `message_delta` repeats of the usage. */
const COUNTS = [
  'input_tokens',
  'cache_creation_input_tokens',
  'cache_read_input_tokens',
  'output_tokens',
  'output_tokens_details',
  'server_tool_use',
]

/**
 * The answer as a stream: each text in one piece.
 * @param answer JSON, latin1
 * @returns null for what is no whole answer
 */
export function unfoldMessage(answer: string): StreamedForm | null {
  return unlessRefused(() => {
    const bytes = Buffer.from(answer, 'latin1')
    const message = isUtf8(bytes) ? parseExact(bytes.toString('utf8')) : null
    if (!isObject(message) || !Array.isArray(message['content'])) return null
    if (typeof message['stop_reason'] !== 'string') return null
    const events = latin1FromUtf8(eventsOf(message, message['content']))
    return { events, ends: [events.length], usagePart: -1 }
  })
}

function eventsOf(message: JsonObject, content: readonly unknown[]): string {
  const start: Record<string, unknown> = { ...message, content: [] }
  const delta: Record<string, unknown> = {}
  for (const name of AT_END) {
    if (!(name in message)) continue
    delta[name] = message[name]
    start[name] = null
  }
  let events = event('message_start', { message: start }) + event('ping', {})
  for (const [index, block] of content.entries()) {
    if (!isObject(block)) throw new SyntaxError('a block that is none')
    events += blockEvents(index, block)
  }
  return events + event('message_delta', { delta, usage: countsOf(message['usage']) }) + event('message_stop', {})
}

function blockEvents(index: number, block: JsonObject): string {
  const start: Record<string, unknown> = { ...block }
  const deltas: JsonObject[] = []
  if (typeof block['text'] === 'string') deltas.push(takeText(start, 'text', 'text_delta'))
  if (typeof block['thinking'] === 'string') deltas.push(takeText(start, 'thinking', 'thinking_delta'))
  if (block['type'] === 'thinking' && typeof block['signature'] === 'string') {
    deltas.push(takeText(start, 'signature', 'signature_delta'))
  }
  if (block['type'] === 'text' && Array.isArray(block['citations'])) {
    start['citations'] = []
    for (const citation of listOf(block['citations'])) deltas.push({ type: 'citations_delta', citation })
  }
  if (isObject(block['input'])) {
    start['input'] = {}
    deltas.push({ type: 'input_json_delta', partial_json: JSON.stringify(block['input']) })
  }
  const begun = event('content_block_start', { index, content_block: start })
  const told = deltas.map((delta) => event('content_block_delta', { index, delta })).join('')
  return begun + told + event('content_block_stop', { index })
}

function takeText(block: Record<string, unknown>, name: string, type: string): JsonObject {
  const text = block[name]
  block[name] = ''
  return { type, [name]: text }
}

function countsOf(usage: unknown): JsonObject {
  const counts: Record<string, unknown> = {}
  if (isObject(usage)) for (const name of COUNTS) if (name in usage) counts[name] = usage[name]
  return counts
}

function event(type: string, members: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...members })}\n\n`
}
