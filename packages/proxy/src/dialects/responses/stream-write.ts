/** A canonical stream as the numbered events of a streamed response (OpenAI's API reference, "Streaming events"). */
import type { TokenUsage } from '@millrace/shared'

import type { FinishReason, StreamPart } from '../../canonical/answer.ts'
import type { Part, Signature } from '../../canonical/content.ts'
import type { JsonObject } from '../../canonical/values.ts'
import type { Saying, StreamWriter } from '../../canonical/writer.ts'
import { Events, type ItemStatus, type OpenItem } from './events-write.ts'
import { endingOf } from './finish.ts'
import { itemId, sealedItem, wholeItem } from './items-write.ts'
import { OpenCall, OpenMessage, OpenReasoning } from './open-items.ts'
import { sealCall } from './reasoning-seal.ts'
import { compact, ResponseObject } from './response-object.ts'

type Of<T extends StreamPart['type']> = Extract<StreamPart, { type: T }>

export class ResponsesStreamWriter implements StreamWriter {
  private readonly events = new Events()
  private readonly unique: string
  /** Until the answer begins. */
  private saying: Saying | null
  private response: ResponseObject | null = null
  /** Those that are whole, as JSON. */
  private readonly items: string[] = []
  private open: OpenItem | null = null
  /** Calls whose arguments may go on after another has begun: some providers tell those of several by turns. */
  private readonly aside: OpenCall[] = []
  private told: TokenUsage | null = null
  private reason: FinishReason = 'stop'
  private refused = false

  constructor(saying: Saying) {
    this.saying = saying
    this.unique = compact(saying.id)
  }

  get sequence(): number {
    return this.events.next
  }

  usage(usage: TokenUsage): string {
    this.told = usage
    return ''
  }

  take(part: StreamPart): string {
    // A response is one answer, whatever the provider makes besides.
    if ('choice' in part && part.choice !== 0) return ''
    if (part.type === 'start') return this.start(part)
    return this.response === null ? this.start(UNTOLD) + this.say(part) : this.say(part)
  }

  private say(part: StreamPart): string {
    switch (part.type) {
      case 'text':
        if (part.text === '' && part.logprobs === undefined) return ''
        return this.message() + (this.open as OpenMessage).text(part.block, part.text, part.logprobs)
      case 'refusal':
        this.refused = true
        return this.message() + (this.open as OpenMessage).refusal(part.block, part.text)
      case 'citation':
        return this.open instanceof OpenMessage ? this.open.citation(part.block, part.citation) : ''
      case 'reasoning':
        return this.reasoning(part.block, part.summary) + (this.open as OpenReasoning).text(part.text)
      case 'redacted':
        return this.redacted(part)
      case 'signature':
        return this.signature(part)
      case 'tool_call':
        return this.call(part)
      case 'arguments':
        return this.arguments(part)
      case 'part':
        return this.whole(part.part)
      case 'finish':
        this.reason = part.finish.reason
        return ''
      case 'done':
        return this.done()
      default:
        return ''
    }
  }

  private start({ id, created, serviceTier, usage }: Omit<Of<'start'>, 'type'>): string {
    this.response = new ResponseObject(this.saying!, id, created, serviceTier)
    this.saying = null
    this.told = usage ?? this.told
    const response = `"response":${this.response.in({ ending: null, items: [], usage: null })}`
    return this.events.event('response.created', response) + this.events.event('response.in_progress', response)
  }

  /** @returns the events by which a message begins, unless one is open */
  private message(): string {
    if (this.open instanceof OpenMessage) return ''
    const closed = this.close()
    const message = new OpenMessage(this.events, this.items.length, this.idOf('msg'))
    this.open = message
    return closed + message.begin()
  }

  private reasoning(block: number, summary = false): string {
    if (this.open instanceof OpenReasoning && this.open.block === block) return ''
    const closed = this.close()
    const thought = new OpenReasoning(this.events, this.items.length, this.idOf('rs'), block, summary)
    this.open = thought
    return closed + thought.begin()
  }

  private redacted({ block, data, origin }: Of<'redacted'>): string {
    const begun = this.reasoning(block)
    ;(this.open as OpenReasoning).redact(data, origin)
    return begun
  }

  private signature({ block, signature }: Of<'signature'>): string {
    if (this.open instanceof OpenCall && this.open.block === block) {
      this.open.signature = signature
      return ''
    }
    const begun = this.reasoning(block)
    ;(this.open as OpenReasoning).sign(signature)
    return begun
  }

  private call({ block, id, name, kind }: Of<'tool_call'>): string {
    const closed = this.setAside()
    const prefix = kind === 'custom' ? 'ctc' : 'fc'
    const call = { id: id || this.idOf('call'), name, ...(kind && { kind }) }
    const open = new OpenCall(this.events, this.items.length, this.idOf(prefix), block, call)
    this.open = open
    return closed + open.begin()
  }

  private arguments({ block, text }: Of<'arguments'>): string {
    const { open } = this
    if (open instanceof OpenCall && open.block === block) return open.arguments(text)
    const call = this.aside.find((one) => one.block === block)
    if (call === undefined) return ''
    const told = call.arguments(text)
    return call.isWhole ? told + this.endAside(call, 'completed') : told
  }

  /** Ends what is open, but for a call that is not whole: it keeps its place among the items. */
  private setAside(): string {
    const { open } = this
    if (!(open instanceof OpenCall) || open.isWhole || open.signature !== null) return this.close()
    this.open = null
    this.aside.push(open)
    this.items.push('')
    return ''
  }

  private endAside(call: OpenCall, status: ItemStatus): string {
    this.aside.splice(this.aside.indexOf(call), 1)
    const ended = call.end(status)
    this.items[call.index] = call.json
    return ended
  }

  /** What comes at once. */
  private whole(part: Part): string {
    if (part.type === 'audio') {
      const { transcript = '' } = part
      return transcript === '' ? '' : this.message() + (this.open as OpenMessage).text(-1, transcript, undefined)
    }
    const closed = this.close()
    const item = wholeItem(part, this.items.length, this.unique)
    return item === null ? closed : closed + this.item(item)
  }

  private done(): string {
    const ending = endingOf(this.reason, this.refused)
    const status = ending.status === 'completed' ? 'completed' : 'incomplete'
    let closed = this.close(status)
    while (this.aside.length > 0) closed += this.endAside(this.aside[0]!, status)
    const response = this.response!.in({ ending, items: this.items, usage: this.told })
    return closed + this.events.event(`response.${ending.status}`, `"response":${response}`)
  }

  private close(status: ItemStatus = 'completed'): string {
    const { open } = this
    if (open === null) return ''
    this.open = null
    const ended = open.end(status)
    this.items.push(open.json)
    const signed = open instanceof OpenCall && open.signature !== null
    return signed ? ended + this.signCall(open.call.id, open.signature!) : ended
  }

  /** No member of a call is for its signature: an item of reasoning has it. */
  private signCall(call: string, signature: Signature): string {
    return this.item(sealedItem(this.idOf('rs'), '', sealCall(call, signature)))
  }

  private item(item: JsonObject): string {
    const json = JSON.stringify(item)
    const index = this.items.push(json) - 1
    const told = `"output_index":${index},"item":${json}`
    const added = this.events.event('response.output_item.added', told)
    return added + this.events.event('response.output_item.done', told)
  }

  private idOf(prefix: string): string {
    return itemId(prefix, this.unique, this.items.length)
  }
}

/** A stream that begins without telling anything. */
const UNTOLD = { id: '', created: null, usage: null, serviceTier: null, systemFingerprint: null }
