/** A conversation as Gemini's `contents` (its API reference, "Content" and "Part"). */
import type { Part, ReasoningPart, ToolCallPart, ToolResultPart } from '../../canonical/content.ts'
import type { ChatRequest, Message } from '../../canonical/request.ts'
import { signatureFor } from '../../canonical/signature.ts'
import { writeInput } from '../../canonical/tool-text.ts'
import { isObject, type JsonObject } from '../../canonical/values.ts'
import { mediaOf } from './media.ts'
import { functionName } from './names.ts'

/** What the API takes for the signature of a call that another model made (its guide "Thought signatures"). */
const NO_SIGNATURE = 'skip_thought_signature_validator'

/** May be changed while it is put together. */
type OwnPart = Record<string, unknown>

export interface Content {
  readonly role: 'user' | 'model'
  readonly parts: OwnPart[]
}

export interface Conversation {
  readonly contents: readonly Content[]
  /** What is said by system and developer, in the middle too: the API has one place for all of it. */
  readonly system: readonly { readonly text: string }[]
}

/**
 * @param newer whether the model is of Gemini 3 or later
 * @param withSystem whether it has a place for what the system says: else the user says it first
 */
export function conversationOf(
  { system, messages, named }: ChatRequest,
  newer: boolean,
  withSystem: boolean,
): Conversation {
  const writer = new ContentWriter(newer, named.messages ?? 'messages')
  for (const part of system) writer.addSystem(part)
  for (const message of messages) writer.add(message)
  const { contents, instructions } = writer
  // Somebody has to have said something.
  if (contents.length === 0 && instructions.length > 0) {
    return { contents: [{ role: 'user', parts: [...instructions] }], system: [] }
  }
  if (withSystem || instructions.length === 0) return { contents, system: instructions }
  const [first, ...others] = contents
  const begun: readonly Content[] =
    first?.role === 'user'
      ? [{ role: 'user', parts: [...instructions, ...first.parts] }, ...others]
      : [{ role: 'user', parts: [...instructions] }, ...contents]
  return { contents: begun, system: [] }
}

class ContentWriter {
  readonly contents: Content[] = []
  readonly instructions: { text: string }[] = []
  /** Of tools, by the ids of their calls. */
  private readonly names = new Map<string, string>()
  private readonly newer: boolean
  private readonly param: string

  constructor(newer: boolean, param: string) {
    this.newer = newer
    this.param = param
  }

  addSystem({ text }: { readonly text: string }): void {
    if (text !== '') this.instructions.push({ text })
  }

  add({ role, content }: Message): void {
    if (role === 'assistant') this.append('model', this.modelParts(content))
    else if (role === 'user') this.append('user', this.userParts(content))
    else for (const part of content) if (part.type === 'text') this.addSystem(part)
  }

  private append(role: Content['role'], parts: OwnPart[]): void {
    const last = this.contents.at(-1)
    if (parts.length === 0) return
    if (last?.role === role) for (const part of parts) last.parts.push(part)
    else this.contents.push({ role, parts })
  }

  /** The results come first: they answer the turn before. */
  private userParts(content: readonly Part[]): OwnPart[] {
    const results: OwnPart[] = []
    const parts: OwnPart[] = []
    for (const part of content) {
      if (part.type === 'tool_result') this.addResult(part, results, parts)
      else this.addPlain(part, parts)
    }
    return [...results, ...parts]
  }

  private modelParts(content: readonly Part[]): OwnPart[] {
    const parts: OwnPart[] = []
    let signature: string | null = null
    for (const part of content) {
      if (part.type === 'reasoning') {
        signature = addReasoning(part, parts) ?? signature
        continue
      }
      const before = parts.length
      if (part.type === 'tool_call') parts.push(this.call(part))
      else this.addPlain(part, parts)
      const added = parts[before]
      if (signature === null || added === undefined) continue
      if ('text' in added) added['thoughtSignature'] = signature
      else parts.splice(before, 0, { text: '', thoughtSignature: signature })
      signature = null
    }
    if (signature !== null) parts.push({ text: '', thoughtSignature: signature })
    if (this.newer) signFirstCall(parts)
    return parts
  }

  private call({ id, name, arguments: text, kind, signature }: ToolCallPart): OwnPart {
    this.names.set(id, name)
    const args = writeInput(text, kind === 'custom')
    const call: OwnPart = { functionCall: { id, name: functionName(name), args } }
    const own = signatureFor('gemini', signature)
    if (own !== null) call['thoughtSignature'] = own
    return call
  }

  private addResult({ id, name, content, isError }: ToolResultPart, results: OwnPart[], parts: OwnPart[]): void {
    const texts: string[] = []
    const within: JsonObject[] = []
    for (const part of content) {
      if (part.type === 'text') texts.push(part.text)
      else if (part.type === 'file' && part.source.from === 'text') texts.push(part.source.text)
      else {
        const media = mediaOf(part, this.param)
        // The API takes no addresses there.
        if (this.newer && 'inlineData' in media) within.push(media)
        else parts.push({ ...media })
      }
    }
    const response = { [isError ? 'error' : 'output']: texts.join('\n') }
    const called = functionName(name ?? this.names.get(id) ?? id)
    const result: OwnPart = { id, name: called, response }
    if (within.length > 0) result['parts'] = within
    results.push({ functionResponse: result })
  }

  private addPlain(part: Part, parts: OwnPart[]): void {
    switch (part.type) {
      case 'text':
      case 'refusal':
        if (part.text !== '') parts.push({ text: part.text })
        break
      case 'image':
      case 'file':
      case 'audio':
        parts.push({ ...mediaOf(part, this.param) })
        break
      case 'own':
        if (part.own.origin === 'gemini' && isObject(part.own.value)) parts.push({ ...part.own.value })
        break
      default:
    }
  }
}

/**
 * What was thought goes back only with Gemini's own signature. The signature of a text or an image, which stands for itself
 * in other APIs, goes back to what it followed.
 * @returns a signature that belongs to the text after it; null: none does
 */
function addReasoning({ text, signature }: ReasoningPart, parts: OwnPart[]): string | null {
  const thoughtSignature = signatureFor('gemini', signature)
  if (thoughtSignature === null) return null
  if (text !== '') {
    parts.push({ text, thought: true, thoughtSignature })
    return null
  }
  const last = parts.at(-1)
  if (last === undefined || 'functionCall' in last || 'thoughtSignature' in last || 'thought' in last) {
    return thoughtSignature
  }
  last['thoughtSignature'] = thoughtSignature
  return null
}

/** Of calls that were made at once the first has the signature. */
function signFirstCall(parts: readonly OwnPart[]): void {
  const calls = parts.filter((part) => 'functionCall' in part)
  if (calls.length > 0 && !calls.some((part) => 'thoughtSignature' in part))
    calls[0]!['thoughtSignature'] = NO_SIGNATURE
}
