/** The items of a streamed answer, event by event. Each tells its whole text once more in the end: the API promises that. */
import type { TokenLogprob } from '../../canonical/answer.ts'
import type { Citation, Signature, ToolCallPart } from '../../canonical/content.ts'
import type { JsonObject } from '../../canonical/values.ts'
import { annotationOf } from './annotations.ts'
import { OpenItem, type Events, type ItemStatus } from './events-write.ts'
import { callItem, messageItem, outputText, reasoningItem, refusalContent } from './items-write.ts'
import { logprobsOf } from './logprobs.ts'

/** A part of a message, while it is said. */
interface OpenContent {
  readonly type: 'text' | 'refusal'
  readonly block: number
  text: string
  readonly annotations: JsonObject[]
  readonly logprobs: JsonObject[]
}

export class OpenMessage extends OpenItem {
  private readonly content: JsonObject[] = []
  private part: OpenContent | null = null

  begin(): string {
    return this.added(messageItem(this.id, 'in_progress', []))
  }

  text(block: number, delta: string, logprobs: readonly TokenLogprob[] | undefined): string {
    const begun = this.beginPart('text', block)
    const told = logprobs === undefined ? [] : logprobsOf(logprobs)
    this.part!.text += delta
    this.part!.logprobs.push(...told)
    const said = told.length === 0 ? '[]' : JSON.stringify(told)
    return begun + this.say('output_text.delta', `"delta":${JSON.stringify(delta)},"logprobs":${said}`)
  }

  refusal(block: number, delta: string): string {
    const begun = this.beginPart('refusal', block)
    this.part!.text += delta
    return begun + this.say('refusal.delta', `"delta":${JSON.stringify(delta)}`)
  }

  /** Of a text that is over, nothing can be told any more. */
  citation(block: number, citation: Citation): string {
    const { part } = this
    if (part?.type !== 'text' || part.block !== block) return ''
    const annotation = annotationOf(citation, part.text.length)
    if (annotation === null) return ''
    const number = part.annotations.push(annotation) - 1
    const told = `"annotation_index":${number},"annotation":${JSON.stringify(annotation)}`
    return this.say('output_text.annotation.added', told)
  }

  end(status: ItemStatus): string {
    return this.endPart() + this.done(messageItem(this.id, status, this.content))
  }

  private beginPart(type: OpenContent['type'], block: number): string {
    const { part } = this
    if (part?.type === type && part.block === block) return ''
    const ended = this.endPart()
    this.part = { type, block, text: '', annotations: [], logprobs: [] }
    const empty = type === 'text' ? outputText('') : refusalContent('')
    return ended + this.say('content_part.added', `"part":${JSON.stringify(empty)}`)
  }

  private endPart(): string {
    const { part } = this
    if (part === null) return ''
    const { text, annotations, logprobs } = part
    const whole = part.type === 'text' ? { ...outputText(text), annotations, logprobs } : refusalContent(text)
    const told =
      part.type === 'text'
        ? this.say('output_text.done', `"text":${JSON.stringify(text)},"logprobs":${JSON.stringify(logprobs)}`)
        : this.say('refusal.done', `"refusal":${JSON.stringify(text)}`)
    const done = this.say('content_part.done', `"part":${JSON.stringify(whole)}`)
    this.content.push(whole)
    this.part = null
    return told + done
  }

  private say(type: string, members: string): string {
    return this.events.event(`response.${type}`, `${this.place},"content_index":${this.content.length},${members}`)
  }
}

export class OpenReasoning extends OpenItem {
  readonly block: number
  private thought = ''
  private signature: Signature | null = null
  private data: string | undefined
  private readonly summary: boolean

  /** @param summary whether the thought is told as a summary of it */
  constructor(events: Events, index: number, id: string, block: number, summary: boolean) {
    super(events, index, id)
    this.block = block
    this.summary = summary
  }

  begin(): string {
    return this.added({ id: this.id, type: 'reasoning', summary: [] })
  }

  text(delta: string): string {
    if (delta === '') return ''
    const begun = this.thought === '' ? this.say('part.added', '"part":{"type":"summary_text","text":""}') : ''
    this.thought += delta
    return begun + this.say('text.delta', `"delta":${JSON.stringify(delta)}`)
  }

  sign(signature: Signature): void {
    this.signature = signature
  }

  redact(data: string, origin: Signature['origin']): void {
    this.data = (this.data ?? '') + data
    this.signature ??= { origin, value: '' }
  }

  end(): string {
    const { thought: text, signature, data, summary } = this
    const more = { ...(data !== undefined && { redacted: data }), ...(summary && { summary }) }
    const item = reasoningItem(this.id, { text, signature, ...more })
    if (text === '') return this.done(item)
    const literal = JSON.stringify(text)
    const told = this.say('text.done', `"text":${literal}`)
    return told + this.say('part.done', `"part":{"type":"summary_text","text":${literal}}`) + this.done(item)
  }

  private say(type: string, members: string): string {
    return this.events.event(`response.reasoning_summary_${type}`, `${this.place},"summary_index":0,${members}`)
  }
}

type Called = Pick<ToolCallPart, 'id' | 'name' | 'kind'>

export class OpenCall extends OpenItem {
  readonly block: number
  readonly call: Called
  signature: Signature | null = null
  private args = ''

  constructor(events: Events, index: number, id: string, block: number, call: Called) {
    super(events, index, id)
    this.block = block
    this.call = call
  }

  /** Whether its arguments are all there, as far as can be told. */
  get isWhole(): boolean {
    if (this.call.kind === 'custom') return true
    return this.args.endsWith('}') && isJson(this.args)
  }

  begin(): string {
    return this.added(callItem(this.id, 'in_progress', { ...this.call, arguments: '' }))
  }

  arguments(delta: string): string {
    if (delta === '') return ''
    this.args += delta
    return this.say('delta', `"delta":${JSON.stringify(delta)}`)
  }

  end(status: ItemStatus): string {
    const { name, kind } = this.call
    // Without arguments a call has an empty object of them.
    const all = this.args === '' && kind !== 'custom' ? this.arguments('{}') : ''
    const text = JSON.stringify(this.args)
    const told = kind === 'custom' ? `"input":${text}` : `"name":${JSON.stringify(name)},"arguments":${text}`
    return all + this.say('done', told) + this.done(callItem(this.id, status, { ...this.call, arguments: this.args }))
  }

  private say(step: 'delta' | 'done', members: string): string {
    const what = this.call.kind === 'custom' ? 'custom_tool_call_input' : 'function_call_arguments'
    return this.events.event(`response.${what}.${step}`, `${this.place},${members}`)
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
