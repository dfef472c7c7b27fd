/** Reads the events of a streamed answer (Anthropic's guide "Streaming Messages"). */
import type { TokenUsage } from '@millrace/shared'

import type { Finish, StreamPart } from '../../canonical/answer.ts'
import { parseExact } from '../../canonical/exact-json.ts'
import { ToolText } from '../../canonical/tool-text.ts'
import { filledText, isObject, listOf, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'
import type { StreamReader } from '../../canonical/wire.ts'
import { readErrorObject, refusalOf } from './answer-read.ts'
import { readCitation } from './citations.ts'
import { isRaw } from './exact-number.ts'
import { readFinish } from './finish.ts'
import type { MessagesMemo } from './request-write.ts'
import { readTier, readUsage } from './usage.ts'

const NOTHING: readonly StreamPart[] = []

export class MessagesReader implements StreamReader {
  private readonly memo: MessagesMemo
  private started = false
  private usage: TokenUsage | null = null
  /** The number of the newest block; -1: none has begun. */
  private block = -1
  /** The open block, where it comes whole: what only this API can say. */
  private own: Record<string, unknown> | null = null
  private ownInput = ''
  /** Of the open call: what its beginning said of its arguments, until others come. */
  private input: unknown = undefined
  private custom: ToolText | null = null
  /** As the beginning tells it, until it is told again. */
  private ending: Finish | null = null

  constructor(memo: MessagesMemo) {
    this.memo = memo
  }

  take(data: string, name: string): readonly StreamPart[] {
    const event = parse(data)
    if (event === null) return name === 'error' ? [this.error({ error: data })] : NOTHING
    switch (event['type']) {
      case 'content_block_delta':
        return this.delta(objectOf(event['delta']))
      case 'content_block_start':
        return this.begun([...this.end(), ...this.begin(objectOf(event['content_block']))])
      case 'content_block_stop':
        return this.end()
      case 'message_start':
        return this.start(objectOf(event['message']))
      case 'message_delta':
        return this.begun([...this.end(), ...this.finish(event)])
      case 'message_stop':
        return this.begun([...this.end(), ...this.stop()])
      case 'error':
        return [this.error(event)]
      default:
        return name === 'error' ? [this.error(event)] : NOTHING
    }
  }

  close(): readonly StreamPart[] {
    return NOTHING
  }

  private start(message: JsonObject): readonly StreamPart[] {
    if (this.started) return NOTHING
    this.started = true
    this.usage = readUsage(message['usage'])
    const serviceTier = readTier(objectOf(message['usage'])['service_tier'])
    const parts: StreamPart[] = [
      {
        type: 'start',
        id: textOf(message['id']),
        created: null,
        usage: this.usage,
        serviceTier,
        systemFingerprint: null,
      },
    ]
    // One that only goes on after code that Anthropic ran may be all there from the beginning.
    for (const block of listOf(message['content'])) {
      if (isObject(block)) parts.push(...this.begin(block), ...this.end())
    }
    const { stop_reason: reason, stop_sequence: sequence } = message
    if (filledText(reason) !== null) this.ending = readFinish(reason, sequence)
    return parts
  }

  private stop(): readonly StreamPart[] {
    if (this.ending === null) return [{ type: 'done' }]
    const parts: StreamPart[] = [{ type: 'finish', choice: 0, finish: this.ending }]
    if (this.usage !== null) parts.push({ type: 'usage', usage: this.usage })
    return [...parts, { type: 'done' }]
  }

  /** A stream without its beginning gets one. */
  private begun(parts: readonly StreamPart[]): readonly StreamPart[] {
    return this.started ? parts : [...this.start({}), ...parts]
  }

  private begin(content: JsonObject): readonly StreamPart[] {
    this.block++
    const at = { choice: 0, block: this.block }
    switch (content['type']) {
      case 'text':
        return [...listOf(content['citations']).flatMap((one) => this.cite(one)), ...this.text(textOf(content['text']))]
      case 'thinking':
        return [...this.thinking(textOf(content['thinking'])), ...this.signature(textOf(content['signature']))]
      case 'redacted_thinking':
        return [{ type: 'redacted', ...at, data: textOf(content['data']), origin: 'messages' }]
      case 'tool_use': {
        const name = textOf(content['name'])
        this.input = content['input']
        if (!this.memo.custom.has(name)) return [{ type: 'tool_call', ...at, id: textOf(content['id']), name }]
        this.custom = new ToolText()
        return [{ type: 'tool_call', ...at, id: textOf(content['id']), name, kind: 'custom' }]
      }
      default:
        if (typeof content['type'] === 'string') this.own = { ...content }
        this.ownInput = ''
        return NOTHING
    }
  }

  private delta(delta: JsonObject): readonly StreamPart[] {
    if (this.block < 0)
      return this.begun([...this.begin({ type: BLOCK_OF[textOf(delta['type'])] }), ...this.delta(delta)])
    switch (delta['type']) {
      case 'text_delta':
        return this.text(textOf(delta['text']))
      case 'thinking_delta':
        return this.thinking(textOf(delta['thinking']))
      case 'signature_delta':
        return this.signature(textOf(delta['signature']))
      case 'input_json_delta':
        return this.arguments(textOf(delta['partial_json']))
      case 'citations_delta':
        return this.cite(delta['citation'])
      default:
        return NOTHING
    }
  }

  private text(text: string): readonly StreamPart[] {
    return text === '' ? NOTHING : [{ type: 'text', choice: 0, block: this.block, text }]
  }

  private cite(value: unknown): readonly StreamPart[] {
    const citation = readCitation(value)
    return citation === null ? NOTHING : [{ type: 'citation', choice: 0, block: this.block, citation }]
  }

  private thinking(text: string): readonly StreamPart[] {
    return text === '' ? NOTHING : [{ type: 'reasoning', choice: 0, block: this.block, text }]
  }

  private signature(value: string): readonly StreamPart[] {
    if (value === '') return NOTHING
    return [{ type: 'signature', choice: 0, block: this.block, signature: { origin: 'messages', value } }]
  }

  private arguments(json: string): readonly StreamPart[] {
    if (this.own !== null) {
      this.ownInput += json
      return NOTHING
    }
    if (json === '') return NOTHING
    this.input = undefined
    const text = this.custom === null ? json : this.custom.take(json)
    return text === '' ? NOTHING : [{ type: 'arguments', choice: 0, block: this.block, text }]
  }

  private end(): readonly StreamPart[] {
    const { own, input } = this
    this.own = null
    this.input = undefined
    if (own !== null) {
      if (this.ownInput !== '') own['input'] = parse(this.ownInput) ?? {}
      this.ownInput = ''
      return [
        { type: 'part', choice: 0, block: this.block, part: { type: 'own', own: { origin: 'messages', value: own } } },
      ]
    }
    // Some who speak the API give a call whole.
    const parts = isObject(input) && Object.keys(input).length > 0 ? this.arguments(JSON.stringify(input)) : NOTHING
    const rest = this.custom?.close() ?? ''
    this.custom = null
    return rest === '' ? parts : [...parts, { type: 'arguments', choice: 0, block: this.block, text: rest }]
  }

  private finish(event: JsonObject): readonly StreamPart[] {
    const { stop_reason: reason, stop_sequence: sequence, stop_details: details } = objectOf(event['delta'])
    const parts: StreamPart[] = []
    const refusal = refusalOf(details)
    if (refusal !== null) parts.push({ type: 'refusal', choice: 0, block: ++this.block, text: refusal })
    if (filledText(reason) !== null) {
      this.ending = null
      parts.push({ type: 'finish', choice: 0, finish: readFinish(reason, sequence) })
    }
    const usage = readUsage(event['usage'], this.usage)
    if (usage !== null) {
      this.usage = usage
      parts.push({ type: 'usage', usage })
    }
    return parts
  }

  private error(event: JsonObject): StreamPart {
    return { type: 'error', error: readErrorObject(event) }
  }
}

/** Of a stream whose beginning is lost. */
const BLOCK_OF: Readonly<Record<string, string>> = {
  text_delta: 'text',
  citations_delta: 'text',
  thinking_delta: 'thinking',
  signature_delta: 'thinking',
}

function parse(data: string): JsonObject | null {
  try {
    const value = data.startsWith('{"type":"content_block_delta"') ? JSON.parse(data) : parseExact(data)
    return isObject(value) && !isRaw(value) ? value : null
  } catch {
    return null
  }
}
