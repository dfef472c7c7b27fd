/** A streamed message said whole, put together as Anthropic's SDKs do. */
import { isUtf8 } from 'node:buffer'

import { parseExact } from '../../canonical/exact-json.ts'
import { isObject, type JsonObject } from '../../canonical/values.ts'
import { eventData, eventsIn } from '../../stream/events.ts'
import { refuse, unlessRefused } from '../../stream/json-fold.ts'
import { latin1FromUtf8, utf8FromLatin1 } from '../../stream/json.ts'

type Block = Record<string, unknown>

class Folded {
  private message: Record<string, unknown> | null = null
  private readonly blocks: Block[] = []
  /** The JSON of the inputs that come in pieces, by their blocks. */
  private readonly inputs = new Map<Block, string[]>()
  private readonly texts = new Map<Block, Map<string, string[]>>()
  private ended = false

  take(event: JsonObject): void {
    if (this.ended) refuse('an event after the end')
    switch (event['type']) {
      case 'ping':
      case 'content_block_stop':
        return
      case 'message_start':
        return this.begin(event['message'])
      case 'content_block_start':
        return this.beginBlock(event['index'], event['content_block'])
      case 'content_block_delta':
        return this.addDelta(this.blocks[event['index'] as number] ?? refuse('no such block'), event['delta'])
      case 'message_delta':
        return this.finish(event)
      case 'message_stop':
        this.ended = true
        return
      default:
        refuse('an unknown event')
    }
  }

  whole(): JsonObject {
    const { message } = this
    if (message === null || !this.ended) refuse('a stream without its beginning or its end')
    if (typeof message['stop_reason'] !== 'string') refuse('no reason to end')
    for (const [block, names] of this.texts) {
      for (const [name, pieces] of names) block[name] = pieces.join('')
    }
    for (const [block, pieces] of this.inputs) {
      const json = pieces.join('')
      if (json !== '') block['input'] = parseExact(json)
    }
    return { ...message, content: this.blocks }
  }

  private begin(message: unknown): void {
    if (!isObject(message) || this.message !== null) refuse('a beginning that is none')
    const { content } = message
    if (!Array.isArray(content) || content.length > 0) refuse('content in the beginning')
    this.message = { ...message }
  }

  private beginBlock(index: unknown, block: unknown): void {
    if (!isObject(block) || index !== this.blocks.length) refuse('a block out of turn')
    this.blocks.push({ ...block })
  }

  private addDelta(block: Block, delta: unknown): void {
    if (!isObject(delta)) refuse('a delta that is none')
    switch (delta['type']) {
      case 'text_delta':
        return this.addText(block, 'text', delta['text'])
      case 'thinking_delta':
        return this.addText(block, 'thinking', delta['thinking'])
      case 'signature_delta':
        block['signature'] = delta['signature']
        return
      case 'citations_delta':
        block['citations'] = [...((block['citations'] as unknown[] | null | undefined) ?? []), delta['citation']]
        return
      case 'input_json_delta': {
        const pieces = this.inputs.get(block)
        if (pieces) pieces.push(textIn(delta['partial_json']))
        else this.inputs.set(block, [textIn(delta['partial_json'])])
        return
      }
      default:
        refuse('an unknown delta')
    }
  }

  private addText(block: Block, name: string, text: unknown): void {
    let names = this.texts.get(block)
    if (!names) this.texts.set(block, (names = new Map<string, string[]>()))
    const pieces = names.get(name)
    if (pieces) pieces.push(textIn(text))
    else names.set(name, [textIn(block[name] ?? ''), textIn(text)])
  }

  private finish(event: JsonObject): void {
    const { message } = this
    if (message === null) refuse('no beginning')
    for (const [name, value] of Object.entries(event)) {
      if (name === 'type') continue
      if (name === 'delta' && isObject(value)) Object.assign(message, value)
      else if (name === 'usage' && isObject(value)) message['usage'] = addCounts(message['usage'], value)
      else message[name] = value
    }
  }
}

/**
 * The answer as it would have come unstreamed: every number as the provider wrote it.
 * @param events all events of a stream, latin1
 * @returns JSON, latin1; null unless the stream is whole, without an error, and can be said so
 */
export function foldMessageStream(events: string): string | null {
  return unlessRefused(() => {
    if (!isUtf8(Buffer.from(events, 'latin1'))) return null
    const folded = new Folded()
    for (const event of eventsIn(events)) takeEvent(folded, event)
    return latin1FromUtf8(JSON.stringify(folded.whole()))
  })
}

function takeEvent(folded: Folded, event: string): void {
  const data = eventData(event)
  if (data === null || data === '') return
  const value = parseExact(utf8FromLatin1(data))
  if (!isObject(value)) refuse('an event that is none')
  folded.take(value)
}

/** Those of `message_delta` replace those of the beginning; what is null says nothing. */
function addCounts(before: unknown, now: JsonObject): JsonObject {
  const counts: Record<string, unknown> = isObject(before) ? { ...before } : {}
  for (const [name, value] of Object.entries(now)) if (value !== null || !(name in counts)) counts[name] = value
  return counts
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : refuse('a text that is none')
}
