/** The events of a streamed response (OpenAI's API reference, "Streaming events") in the canonical form. */
import type { StreamPart } from '../../canonical/answer.ts'
import { type JsonObject, isObject, jsonOf, numberOf } from '../../canonical/values.ts'
import type { StreamReader } from '../../canonical/wire.ts'
import { readCitation } from './annotations.ts'
import { failureOf } from './answer-read.ts'
import { readResponseError } from './errors.ts'
import { readFinish } from './finish.ts'
import { argumentsOf, callIdOf, readOther } from './items-read.ts'
import { readLogprobs } from './logprobs.ts'
import { itemSignature } from './reasoning-seal.ts'
import { readResponseUsage } from './usage.ts'
import { objectsOf, stringOf } from './values.ts'

/** An item, or a part of one, that is under way. */
interface Block {
  readonly number: number
  /** Whether anything of it was said: else what ends it says all. */
  said: boolean
  /** Of a text: how many of its annotations were told. */
  cited: number
  /** Of reasoning: which kind of its text is told, and its paragraph. */
  summary: boolean | null
  paragraph: number
}

const CALLS: ReadonlySet<unknown> = new Set(['function_call', 'custom_tool_call'])

export class ResponsesStreamReader implements StreamReader {
  private started = false
  private ended = false
  private next = 0
  private calls = false
  private refused = false
  /** By the index of the item, and of its part; those of items that have ended are gone. */
  private readonly blocks = new Map<string, Block>()
  /** The indexes of open items by their ids: servers that only resemble OpenAI's leave them out of what follows. */
  private readonly indexes = new Map<string, number>()

  take(data: string, name: string): readonly StreamPart[] {
    if (this.ended) return []
    const event = parse(data)
    if (event === null) return []
    const parts: StreamPart[] = []
    const type = stringOf(event['type']) ?? name
    if (type === 'error' || (type === '' && event['error'] != null)) {
      this.ended = true
      return [{ type: 'error', error: readResponseError(event) }]
    }
    if (!type.startsWith('response.')) return parts
    if (!this.started) this.start(event, parts)
    this.read(type, this.placed(event), parts)
    return parts
  }

  close(): readonly StreamPart[] {
    return []
  }

  private start({ response }: JsonObject, parts: StreamPart[]): void {
    this.started = true
    const { id, created_at: created, service_tier: tier } = isObject(response) ? response : {}
    parts.push({
      type: 'start',
      id: stringOf(id) ?? '',
      created: numberOf(created),
      usage: null,
      serviceTier: stringOf(tier),
      systemFingerprint: null,
    })
  }

  private placed(event: JsonObject): JsonObject {
    if (numberOf(event['output_index']) !== null) return event
    const index = this.indexes.get(stringOf(event['item_id']) ?? '')
    return index === undefined ? event : { ...event, output_index: index }
  }

  private read(type: string, event: JsonObject, parts: StreamPart[]): void {
    switch (type) {
      case 'response.output_text.delta':
      case 'response.output_text.done':
        return this.text(event, parts)
      case 'response.refusal.delta':
      case 'response.refusal.done':
        return this.refusal(event, parts)
      case 'response.output_text.annotation.added':
        return this.annotation(event, parts)
      case 'response.reasoning_summary_text.delta':
        return this.thought(event, true, event['summary_index'], parts)
      case 'response.reasoning_text.delta':
        return this.thought(event, false, event['content_index'], parts)
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        return this.args(event, parts)
      case 'response.output_item.added':
        if (isObject(event['item'])) this.itemAdded(event, event['item'], parts)
        return
      case 'response.output_item.done':
        if (isObject(event['item'])) this.itemDone(event, event['item'], parts)
        return
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        if (isObject(event['response'])) this.end(event['response'], parts)
    }
  }

  private text(event: JsonObject, parts: StreamPart[]): void {
    const block = this.blockOf(event, 'content_index')
    const delta = stringOf(event['delta'])
    const text = delta ?? (block.said ? '' : (stringOf(event['text']) ?? ''))
    if (text === '') return
    block.said = true
    const logprobs = readLogprobs(event['logprobs'])
    parts.push({ type: 'text', choice: 0, block: block.number, text, ...(logprobs && { logprobs }) })
  }

  private refusal(event: JsonObject, parts: StreamPart[]): void {
    const block = this.blockOf(event, 'content_index')
    const text = stringOf(event['delta']) ?? (block.said ? '' : (stringOf(event['refusal']) ?? ''))
    if (text === '') return
    this.refused = block.said = true
    parts.push({ type: 'refusal', choice: 0, block: block.number, text })
  }

  private annotation(event: JsonObject, parts: StreamPart[]): void {
    const { annotation } = event
    if (!isObject(annotation)) return
    const block = this.blockOf(event, 'content_index')
    block.cited++
    parts.push({ type: 'citation', choice: 0, block: block.number, citation: readCitation(annotation) })
  }

  /** Of an item that tells both its thoughts and a summary, what it begins with is told. */
  private thought(event: JsonObject, summary: boolean, paragraph: unknown, parts: StreamPart[]): void {
    const block = this.blockOf(event, null)
    const delta = stringOf(event['delta']) ?? ''
    block.summary ??= summary
    if (delta === '' || block.summary !== summary) return
    const at = numberOf(paragraph) ?? 0
    const text = block.said && at !== block.paragraph ? `\n\n${delta}` : delta
    block.said = true
    block.paragraph = at
    parts.push({ type: 'reasoning', choice: 0, block: block.number, text, summary })
  }

  private call(event: JsonObject, item: JsonObject, parts: StreamPart[]): void {
    this.calls = true
    const { number } = this.blockOf(event, null)
    const kind = item['type'] === 'custom_tool_call' ? 'custom' : 'function'
    parts.push({
      type: 'tool_call',
      choice: 0,
      block: number,
      id: callIdOf(item),
      name: stringOf(item['name']) ?? '',
      ...(kind === 'custom' && { kind }),
    })
  }

  /** Before its item they would belong to nothing: that tells all in the end. */
  private args(event: JsonObject, parts: StreamPart[]): void {
    const block = this.blocks.get(keyOf(event, null))
    const text = stringOf(event['delta']) ?? ''
    if (block === undefined || text === '') return
    block.said = true
    parts.push({ type: 'arguments', choice: 0, block: block.number, text })
  }

  private itemAdded(event: JsonObject, item: JsonObject, parts: StreamPart[]): void {
    const index = numberOf(event['output_index'])
    if (index !== null && typeof item['id'] === 'string') this.indexes.set(item['id'], index)
    // One that begins whole may have been made by the provider itself, and end as what it has found: its end tells.
    if (CALLS.has(item['type']) && item['status'] !== 'completed') this.call(event, item, parts)
  }

  private itemDone(event: JsonObject, item: JsonObject, parts: StreamPart[]): void {
    const { type } = item
    if (type === 'message') this.messageDone(event, item, parts)
    else if (type === 'reasoning') this.reasoningDone(event, item, parts)
    else if (CALLS.has(type)) this.callDone(event, item, parts)
    else parts.push({ type: 'part', choice: 0, block: this.next++, part: readOther(item) })
    if (typeof item['id'] === 'string') this.indexes.delete(item['id'])
    const prefix = keyOf(event, null)
    for (const key of this.blocks.keys()) if (key === prefix || key.startsWith(`${prefix}.`)) this.blocks.delete(key)
  }

  private messageDone(event: JsonObject, item: JsonObject, parts: StreamPart[]): void {
    for (const [i, { type, text, refusal, annotations, logprobs }] of objectsOf(item['content']).entries()) {
      const at = { output_index: event['output_index'], content_index: i }
      const told = this.blocks.get(keyOf(at, 'content_index'))
      if (type === 'refusal' && told?.said !== true) this.refusal({ ...at, refusal }, parts)
      if (type !== 'output_text') continue
      if (told?.said !== true) this.text({ ...at, text, logprobs }, parts)
      // Some servers have no event for them.
      for (const annotation of objectsOf(annotations).slice(told?.cited)) this.annotation({ ...at, annotation }, parts)
    }
  }

  private reasoningDone(event: JsonObject, item: JsonObject, parts: StreamPart[]): void {
    const block = this.blockOf(event, null)
    const { id, encrypted_content: encrypted, summary, content } = item
    if (!block.said) {
      for (const [i, { text }] of objectsOf(summary).entries()) this.thought({ ...event, delta: text }, true, i, parts)
      for (const [i, { text }] of objectsOf(content).entries()) this.thought({ ...event, delta: text }, false, i, parts)
    }
    if (typeof encrypted !== 'string') return
    if (!block.said) parts.push({ type: 'reasoning', choice: 0, block: block.number, text: '', summary: true })
    const signature = itemSignature(stringOf(id) ?? '', encrypted)
    parts.push({ type: 'signature', choice: 0, block: block.number, signature })
  }

  private callDone(event: JsonObject, item: JsonObject, parts: StreamPart[]): void {
    if (!this.blocks.has(keyOf(event, null))) this.call(event, item, parts)
    const block = this.blockOf(event, null)
    const text = item['type'] === 'function_call' ? argumentsOf(item) : (stringOf(item['input']) ?? '')
    if (!block.said && text !== '') parts.push({ type: 'arguments', choice: 0, block: block.number, text })
  }

  private end(response: JsonObject, parts: StreamPart[]): void {
    this.ended = true
    const usage = readResponseUsage(response['usage'])
    const error = failureOf(response)
    if (error !== null) {
      if (usage !== null) parts.push({ type: 'usage', usage })
      parts.push({ type: 'error', error })
      return
    }
    if (this.next === 0) this.sayWhole(response, parts)
    const finish = readFinish(response, this.calls, this.refused)
    if (finish === null) return
    parts.push({ type: 'finish', choice: 0, finish })
    if (usage !== null) parts.push({ type: 'usage', usage })
    parts.push({ type: 'done' })
  }

  /** Nothing was said before its end: all of it is there. */
  private sayWhole(response: JsonObject, parts: StreamPart[]): void {
    for (const [output_index, item] of objectsOf(response['output']).entries()) {
      this.itemDone({ output_index }, item, parts)
    }
  }

  private blockOf(event: JsonObject, part: 'content_index' | null): Block {
    const key = keyOf(event, part)
    let block = this.blocks.get(key)
    if (block === undefined) {
      block = { number: this.next++, said: false, cited: 0, summary: null, paragraph: 0 }
      this.blocks.set(key, block)
    }
    return block
  }
}

function keyOf({ output_index: item, content_index: content }: JsonObject, part: 'content_index' | null): string {
  return part === null ? `${numberOf(item) ?? 0}` : `${numberOf(item) ?? 0}.${numberOf(content) ?? 0}`
}

function parse(data: string): JsonObject | null {
  const event = jsonOf(data)
  return isObject(event) ? event : null
}
