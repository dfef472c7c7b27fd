/** Messages as `input`'s items. */
import { createHash } from 'node:crypto'

import type { Citation, Part, ReasoningPart, Source, ToolCallPart, ToolResultPart } from '../../canonical/content.ts'
import { writeDataUrl } from '../../canonical/data-url.ts'
import { unsayable } from '../../canonical/problem.ts'
import type { Message } from '../../canonical/request.ts'
import { signatureFor } from '../../canonical/signature.ts'
import type { JsonObject } from '../../canonical/values.ts'
import { itemOf } from './reasoning-seal.ts'

export class InputWriter {
  private readonly items: unknown[] = []

  write(messages: readonly Message[]): unknown[] {
    for (const [i, message] of messages.entries()) this.writeMessage(message, `messages[${i}]`)
    return this.items
  }

  /** What isn't an item of its own is one message with its neighbours. */
  private writeMessage({ role, content }: Message, at: string): void {
    let said: JsonObject[] = []
    for (const part of content) {
      const item = itemOfPart(part)
      if (item === undefined) said.push(contentOf(part, role, at))
      else {
        this.say(role, said)
        said = []
        if (item !== null) this.items.push(item)
      }
    }
    this.say(role, said)
  }

  private say(role: Message['role'], content: JsonObject[]): void {
    if (content.length > 0) this.items.push({ type: 'message', role, content })
  }
}

/** @returns undefined: it belongs into a message; null: it cannot be said, nor has it to be */
function itemOfPart(part: Part): unknown {
  switch (part.type) {
    case 'tool_call':
      return callItem(part)
    case 'tool_result':
      return resultItem(part)
    case 'reasoning':
      return reasoningItem(part)
    case 'own':
      return part.own.origin === 'responses' ? part.own.value : null
    default:
      return undefined
  }
}

function callItem({ id, name, arguments: args, kind }: ToolCallPart): JsonObject {
  if (kind === 'custom') return { type: 'custom_tool_call', call_id: callId(id), name, input: args }
  return { type: 'function_call', call_id: callId(id), name, arguments: args === '' ? '{}' : args }
}

function resultItem({ id, content, kind }: ToolResultPart): JsonObject {
  const [only] = content
  const output =
    content.length === 0 || (content.length === 1 && only!.type === 'text')
      ? ((only as { text?: string } | undefined)?.text ?? '')
      : content.map((part) => contentOf(part, 'user', ''))
  return { type: kind === 'custom' ? 'custom_tool_call_output' : 'function_call_output', call_id: callId(id), output }
}

/** What another provider thought would be refused. */
function reasoningItem({ text, signature }: ReasoningPart): JsonObject | null {
  const own = signatureFor('responses', signature)
  if (own === null) return null
  const { id, encrypted } = itemOf(own)
  return {
    type: 'reasoning',
    ...(id !== null && { id }),
    summary: text === '' ? [] : [{ type: 'summary_text', text }],
    encrypted_content: encrypted,
  }
}

const LONGEST_ID = 64

/** Of an id that OpenAI would refuse, another; always the same. */
function callId(id: string): string {
  if (id !== '' && id.length <= LONGEST_ID) return id
  return `call_${createHash('sha256').update(id).digest('base64url')}`
}

function contentOf(part: Part, role: Message['role'], at: string): JsonObject {
  const said = role === 'assistant'
  switch (part.type) {
    case 'text':
      return said ? outputText(part.text, part.citations) : { type: 'input_text', text: part.text }
    case 'refusal':
      return said ? { type: 'refusal', refusal: part.text } : { type: 'input_text', text: part.text }
    case 'image':
      if (said) throw unsayable(at, 'Images cannot be told to a provider as what it has said.')
      return { type: 'input_image', ...imageSource(part.source), detail: part.detail ?? 'auto' }
    case 'file':
      return { type: 'input_file', ...fileSource(part.source, part.filename) }
    case 'audio':
      if (said && part.transcript !== undefined) return outputText(part.transcript, undefined)
      throw unsayable(at, 'The Responses API takes no recordings.')
    default:
      throw unsayable(at, `A part of the type ${part.type} cannot be said here.`)
  }
}

function outputText(text: string, citations: readonly Citation[] | undefined): JsonObject {
  const own = citations?.filter(({ own: { origin } }) => origin === 'responses').map(({ own: { value } }) => value)
  return { type: 'output_text', text, annotations: own ?? [] }
}

function imageSource(source: Source): JsonObject {
  if (source.from === 'file') return { file_id: source.id }
  return { image_url: urlOf(source) }
}

function fileSource(source: Source | { from: 'text'; text: string }, filename: string | undefined): JsonObject {
  const named = filename === undefined ? {} : { filename }
  if (source.from === 'file') return { file_id: source.id }
  if (source.from === 'url') return { ...named, file_url: source.url }
  if (source.from === 'data') return { filename: filename ?? nameFor(source.mediaType), file_data: urlOf(source) }
  const data = Buffer.from(source.text).toString('base64')
  return { filename: filename ?? 'document.txt', file_data: `data:text/plain;base64,${data}` }
}

/** Data must have a name. */
function nameFor(mediaType: string): string {
  if (mediaType === 'application/pdf') return 'document.pdf'
  return mediaType.startsWith('text/') ? 'document.txt' : 'document'
}

function urlOf(source: Exclude<Source, { from: 'file' }>): string {
  return source.from === 'url' ? source.url : writeDataUrl(source)
}
