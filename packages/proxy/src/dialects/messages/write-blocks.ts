/** Parts of messages as blocks of the Messages API. */
import type {
  CacheMark,
  FilePart,
  ImagePart,
  Part,
  ReasoningPart,
  TextPart,
  ToolCallPart,
  ToolResultPart,
} from '../../canonical/content.ts'
import { unsayable } from '../../canonical/problem.ts'
import { signatureFor } from '../../canonical/signature.ts'
import { writeInput } from '../../canonical/tool-text.ts'
import type { JsonObject } from '../../canonical/values.ts'
import { ownCitations } from './citations.ts'
import { writeToolId } from './tool-ids.ts'

/** The most that the API takes in one request. */
const MOST_CACHE_MARKS = 4

/** Writes the blocks of one request. */
export class BlockWriter {
  private marks = 0

  /** What the API may keep of what it has read, up to here. */
  cache(mark: CacheMark | undefined): JsonObject {
    if (mark === undefined || this.marks >= MOST_CACHE_MARKS) return {}
    this.marks++
    const long = mark.ttl === '1h' || mark.ttl === '5m' ? { ttl: mark.ttl } : {}
    return { cache_control: { type: 'ephemeral', ...long } }
  }

  /** Without those that say nothing: the API refuses them. */
  texts(parts: readonly TextPart[]): JsonObject[] {
    return parts.filter(saysAnything).map((part) => this.text(part))
  }

  /** @param at the client's name of where it stands, for errors */
  user(parts: readonly Part[], at: string): JsonObject[] {
    const results: JsonObject[] = []
    const others: JsonObject[] = []
    for (const part of parts) {
      if (part.type === 'tool_result') results.push(this.toolResult(part, at))
      else {
        const block = this.userPart(part, at)
        if (block !== null) others.push(block)
      }
    }
    // The API wants the results before all else in their message.
    return [...results, ...others]
  }

  assistant(parts: readonly Part[]): JsonObject[] {
    return parts.map((part) => this.assistantPart(part)).filter((block) => block !== null)
  }

  private userPart(part: Part, at: string): JsonObject | null {
    switch (part.type) {
      case 'text':
        return saysAnything(part) ? this.text(part) : null
      case 'image':
        return this.image(part, at)
      case 'file':
        return this.file(part, at)
      case 'audio':
        throw unsayable(at, "Anthropic's models take no recordings.")
      case 'own':
        return ownBlock(part.own)
      default:
        return null
    }
  }

  private assistantPart(part: Part): JsonObject | null {
    switch (part.type) {
      case 'text':
        return saysAnything(part) ? this.text(part) : null
      case 'refusal':
        return part.text.trim() === '' ? null : { type: 'text', text: part.text }
      case 'audio':
        return part.transcript?.trim() ? { type: 'text', text: part.transcript } : null
      case 'reasoning':
        return thinking(part)
      case 'tool_call':
        return this.toolUse(part)
      case 'own':
        return ownBlock(part.own)
      default:
        return null
    }
  }

  private text(part: TextPart): JsonObject {
    const citations = ownCitations(part.citations)
    const cited = citations.length === 0 ? {} : { citations }
    return { type: 'text', text: part.text, ...cited, ...this.cache(part.cache) }
  }

  private image(part: ImagePart, at: string): JsonObject {
    const { source } = part
    if (source.from === 'file') throw uploaded(at)
    const told =
      source.from === 'url'
        ? { type: 'url', url: source.url }
        : {
            type: 'base64',
            media_type: source.mediaType === 'image/jpg' ? 'image/jpeg' : source.mediaType,
            data: source.data,
          }
    return { type: 'image', source: told, ...this.cache(part.cache) }
  }

  private file(part: FilePart, at: string): JsonObject | null {
    const source = fileSource(part, at)
    if (source === null) return null
    return {
      type: 'document',
      source,
      ...(part.filename === undefined ? {} : { title: part.filename }),
      ...(part.citations === true ? { citations: { enabled: true } } : {}),
      ...this.cache(part.cache),
    }
  }

  private toolUse(part: ToolCallPart): JsonObject {
    const input = writeInput(part.arguments, part.kind === 'custom')
    return { type: 'tool_use', id: writeToolId(part.id), name: part.name, input, ...this.cache(part.cache) }
  }

  private toolResult(part: ToolResultPart, at: string): JsonObject {
    const content: JsonObject[] = []
    for (const inner of part.content) {
      const block = this.userPart(inner, at)
      if (block !== null) content.push(block)
    }
    return {
      type: 'tool_result',
      tool_use_id: writeToolId(part.id),
      ...(content.length === 0 ? {} : { content }),
      ...(part.isError === true ? { is_error: true } : {}),
      ...this.cache(part.cache),
    }
  }
}

/** What was thought, if the API gave it itself and would know it again. */
function thinking({ text, signature, redacted }: ReasoningPart): JsonObject | null {
  if (redacted !== undefined) {
    return signature === null || signature.origin === 'messages' ? { type: 'redacted_thinking', data: redacted } : null
  }
  const own = signatureFor('messages', signature)
  return own === null || own === '' ? null : { type: 'thinking', thinking: text, signature: own }
}

function fileSource({ source }: FilePart, at: string): JsonObject | null {
  switch (source.from) {
    case 'text':
      return source.text.trim() === '' ? null : { type: 'text', media_type: 'text/plain', data: source.text }
    case 'url':
      return { type: 'url', url: source.url }
    case 'data': {
      const { mediaType, data } = source
      if (mediaType === 'application/pdf') return { type: 'base64', media_type: mediaType, data }
      if (!isText(mediaType)) throw unsayable(at, `Anthropic's models take PDF and text, not ${mediaType}.`)
      return { type: 'text', media_type: 'text/plain', data: Buffer.from(data, 'base64').toString('utf8') }
    }
    case 'file':
      throw uploaded(at)
  }
}

function isText(mediaType: string): boolean {
  return mediaType.startsWith('text/') || /^application\/(?:json|xml|yaml|x-yaml|javascript)$/.test(mediaType)
}

function uploaded(at: string): Error {
  return unsayable(at, 'A file that was uploaded to another provider is not known to Anthropic: send its data.')
}

function ownBlock({ origin, value }: { readonly origin: string; readonly value: unknown }): JsonObject | null {
  return origin === 'messages' ? (value as JsonObject) : null
}

/** Blank text is refused like none. */
function saysAnything({ text }: TextPart): boolean {
  return text.trim() !== ''
}
