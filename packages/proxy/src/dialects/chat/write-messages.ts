/** A conversation as OpenAI's `messages`. */
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
import { writeDataUrl } from '../../canonical/data-url.ts'
import { unsayable } from '../../canonical/problem.ts'
import type { ChatRequest, Message } from '../../canonical/request.ts'
import { signatureFor } from '../../canonical/signature.ts'
import { TEXT_MEMBER } from '../../canonical/tool-text.ts'
import { callExtras } from './call-extras.ts'
import { toolIdFor } from './tool-ids.ts'
import { toolNameFor } from './tool-names.ts'
import type { ChatWireOptions } from './wire-options.ts'

export type Said = Record<string, unknown>

/** What the model is taken to have said between a tool and the user, where it has to say something. */
export const BETWEEN = 'I have what the tools answered.'

/** What calls itself a function is one of old, and no participant's name. */
export function mayBeNamed(role: string, names: ChatWireOptions['names']): boolean {
  return names === 'any' || role === names || role === 'function'
}

export function writeMessages(request: ChatRequest, options: ChatWireOptions): Said[] {
  return new Writing(request, options).messages
}

class Writing {
  readonly messages: Said[] = []
  private readonly options: ChatWireOptions
  /** What the client calls them. */
  private readonly param: string
  /** From here on the model may still be at work on what the user said last: its thoughts go back. */
  private readonly turn: number

  constructor(request: ChatRequest, options: ChatWireOptions) {
    this.options = options
    this.param = request.named.messages ?? 'messages'
    this.turn = request.messages.findLastIndex(isAsking)
    if (request.system.length > 0) this.push('system', this.content(request.system, '\n\n'))
    for (const [i, message] of request.messages.entries()) this.add(message, i)
  }

  private add({ role, content, name }: Message, at: number): void {
    switch (role) {
      case 'system':
      case 'developer':
        this.push(role === 'developer' && this.options.developer ? role : 'system', this.content(content, '\n\n'), name)
        break
      case 'user':
        this.user(content, name)
        break
      case 'assistant':
        this.assistant(content, name, at)
    }
  }

  private push(role: string, content: unknown, name?: string): void {
    this.messages.push({ role, content, ...this.named(role, name) })
  }

  private named(role: string, name: string | undefined): Said {
    return name === undefined || !mayBeNamed(role, this.options.names) ? {} : { name }
  }

  /** Results must follow their calls; what else they have than text follows all of them. */
  private user(parts: readonly Part[], name: string | undefined): void {
    const more: Part[] = []
    for (const part of parts) if (part.type === 'tool_result') more.push(...this.result(part))
    const others = parts.filter(({ type }) => type !== 'tool_result')
    const all = [...more, ...others]
    if (all.length === 0 && parts.length > 0) return
    if (!this.options.userAfterTool && this.messages.at(-1)?.['role'] === 'tool') this.push('assistant', BETWEEN)
    this.push('user', this.content(all, '\n\n'), name)
  }

  /** @returns what a message of the role tool cannot have */
  private result({ id, content, name }: ToolResultPart): Part[] {
    const texts = content.filter((part) => part.type === 'text')
    const others = content.filter((part) => part.type !== 'text')
    const said =
      texts.length === 0 && others.length > 0 ? 'See the next message.' : texts.map(({ text }) => text).join('\n')
    this.messages.push({ role: 'tool', tool_call_id: toolIdFor(id, this.options.toolIds), content: said })
    if (others.length === 0) return []
    return [{ type: 'text', text: `What the tool ${name ?? id} has answered:` }, ...others]
  }

  private assistant(parts: readonly Part[], name: string | undefined, at: number): void {
    const { options } = this
    const calls = parts.filter((part) => part.type === 'tool_call')
    const refusals = parts.filter((part) => part.type === 'refusal')
    const texts: TextPart[] = parts.flatMap((part) => {
      if (part.type === 'text') return [part]
      return part.type === 'refusal' && !options.openAi ? [{ type: 'text', text: part.text }] : []
    })
    const refused = options.openAi && refusals.length > 0
    if (texts.length === 0 && calls.length === 0 && !refused) return
    this.messages.push({
      role: 'assistant',
      content: texts.length === 0 ? null : this.content(texts, ''),
      ...this.named('assistant', name),
      ...(refused ? { refusal: refusals.map(({ text }) => text).join('') } : {}),
      ...this.reasoning(parts, at),
      ...(calls.length > 0 ? { tool_calls: calls.map((call) => this.call(call)) } : {}),
    })
  }

  private reasoning(parts: readonly Part[], at: number): Said {
    const thoughts = parts.filter((part) => part.type === 'reasoning').filter(isOwn)
    if (thoughts.length === 0) return {}
    switch (this.options.reasoningBack) {
      case 'reasoning_content':
        return at < this.turn ? {} : { reasoning_content: thoughts.map(({ text }) => text).join('') }
      case 'reasoning_details':
        return { reasoning_details: thoughts.flatMap(detailsOf) }
      case null:
        return {}
    }
  }

  private call({ id, name, arguments: given, kind, signature }: ToolCallPart): Said {
    const known = { id: toolIdFor(id, this.options.toolIds) }
    const called = toolNameFor(name)
    if (kind === 'custom' && this.options.openAi)
      return { ...known, type: 'custom', custom: { name: called, input: given } }
    return {
      ...known,
      type: 'function',
      function: {
        name: called,
        arguments: kind === 'custom' ? JSON.stringify({ [TEXT_MEMBER]: given }) : given || '{}',
      },
      ...(this.options.openAi ? {} : callExtras(signature)),
    }
  }

  /** @param between texts that are joined */
  private content(parts: readonly Part[], between: string): unknown {
    const { textParts, cacheControl } = this.options
    const texts = parts.filter((part) => part.type === 'text')
    const isText = texts.length === parts.filter(({ type }) => type !== 'own').length
    const marked = cacheControl && texts.some(({ cache }) => cache !== undefined)
    if (isText && !marked && (texts.length <= 1 || !textParts || between === '')) {
      return texts.map(({ text }) => text).join(between)
    }
    return parts.flatMap((part) => this.part(part))
  }

  private part(part: Part): Said[] {
    switch (part.type) {
      case 'text':
        return [{ type: 'text', text: part.text, ...this.mark(part.cache) }]
      case 'image':
        return [{ type: 'image_url', image_url: this.image(part), ...this.mark(part.cache) }]
      case 'audio':
        return [{ type: 'input_audio', input_audio: { data: part.data, format: part.format } }]
      case 'file':
        return [{ ...this.file(part), ...this.mark(part.cache) }]
      default:
        return []
    }
  }

  private mark(cache: CacheMark | undefined): Said {
    if (cache === undefined || !this.options.cacheControl) return {}
    return { cache_control: { type: 'ephemeral', ...(cache.ttl === null ? {} : { ttl: cache.ttl }) } }
  }

  private image({ source, detail }: ImagePart): Said {
    if (source.from === 'file') throw this.notHere('An image')
    const url = source.from === 'url' ? source.url : writeDataUrl(source)
    return { url, ...(detail === undefined ? {} : { detail }) }
  }

  private file({ source, filename }: FilePart): Said {
    if (source.from === 'text') return { type: 'text', text: source.text }
    if (source.from === 'file') throw this.notHere('A file')
    if (source.from === 'url') {
      if (this.options.openAi) throw unsayable(this.param, 'Chat completions take no URLs of files: send its data.')
      return { type: 'file', file: { filename: filename ?? 'file', file_data: source.url } }
    }
    const ending = source.mediaType.split('/')[1] ?? 'bin'
    return { type: 'file', file: { filename: filename ?? `file.${ending}`, file_data: writeDataUrl(source) } }
  }

  private notHere(what: string): Error {
    return unsayable(this.param, `${what} that was uploaded is known to the provider that has it only: send its data.`)
  }
}

/** What a user says, and not only what tools have answered. */
function isAsking({ role, content }: Message): boolean {
  return role === 'user' && content.some(({ type }) => type !== 'tool_result')
}

function isOwn({ signature }: ReasoningPart): boolean {
  return signature === null || signature.origin === 'chat'
}

/** As read-answer-parts.ts keeps them. */
function detailsOf({ text, signature, redacted, summary }: ReasoningPart): Said[] {
  const value = redacted ?? signatureFor('chat', signature)
  const kept = value === null || value === '' ? null : parse(value)
  const isText = kept === null || kept['type'] === 'reasoning.text'
  const said: Said[] = []
  if (text !== '' && summary === true) said.push({ type: 'reasoning.summary', summary: text, ...shared(kept) })
  else if (text !== '') said.push({ type: 'reasoning.text', text, ...(isText ? kept : {}) })
  if (kept !== null && (text === '' || !isText || summary === true)) said.push(kept)
  return said
}

function shared(kept: Said | null): Said {
  return kept === null ? {} : { format: kept['format'], index: kept['index'] }
}

function parse(value: string): Said | null {
  try {
    const kept: unknown = JSON.parse(value)
    return typeof kept === 'object' && kept !== null ? (kept as Said) : null
  } catch {
    return null
  }
}
