/** The events of ConverseStream (Bedrock's API reference, "ConverseStreamOutput"). */
import type { StreamPart } from '../../canonical/answer.ts'
import { ToolText } from '../../canonical/tool-text.ts'
import { filledText, isObject, jsonOf, numberOf, objectOf, textOf, type JsonObject } from '../../canonical/values.ts'
import type { StreamReader } from '../../canonical/wire.ts'
import { imageOf, isOwnCall } from './answer-read.ts'
import { Blocks, type Block } from './blocks.ts'
import { readCitation } from './citations.ts'
import { readException } from './errors.ts'
import { readFinish } from './finish.ts'
import type { Memo } from './request-write.ts'
import { readUsage } from './usage.ts'

const NONE: readonly StreamPart[] = []
/** Bytes of images that are held until they are whole. */
const MOST_HELD = 33_554_432

export class ConverseReader implements StreamReader {
  private readonly memo: Memo
  private parts: StreamPart[] = []
  private started = false
  private stopped = false
  private ended = false
  /** It came before the answer's end was told. */
  private usage: StreamPart | null = null
  private readonly blocks = new Blocks()
  /** Bytes of the images in them. */
  private held = 0

  constructor(memo: Memo) {
    this.memo = memo
  }

  take(data: string, name: string): readonly StreamPart[] {
    if (this.ended) return NONE
    const body = jsonOf(data)
    if (name === 'error' || EXCEPTION.test(name)) return this.fail(name, body)
    if (!isObject(body)) return NONE
    const told = EVENTS.has(name) ? name : Object.keys(body).find((key) => EVENTS.has(key) || EXCEPTION.test(key))
    if (told === undefined) return NONE
    // As others record it: the event's name around what it tells.
    const inner = body[told]
    if (EXCEPTION.test(told)) return this.fail(told, inner)
    this.read(told, isObject(inner) ? inner : body)
    if (this.held > MOST_HELD) return this.fail('', TOO_LARGE)
    const { parts } = this
    this.parts = []
    return parts
  }

  close(): readonly StreamPart[] {
    if (!this.stopped || this.ended) return NONE
    this.ended = true
    return [{ type: 'done' }]
  }

  private fail(name: string, body: unknown): readonly StreamPart[] {
    this.ended = true
    this.blocks.end(null)
    return [{ type: 'error', error: readException(name, body) }]
  }

  private read(name: string, body: JsonObject): void {
    this.start()
    switch (name) {
      case 'contentBlockStart':
        return this.startBlock(indexOf(body), objectOf(body['start']))
      case 'contentBlockDelta':
        return this.addTo(indexOf(body), objectOf(body['delta']))
      case 'contentBlockStop':
        return this.endBlocks(indexOf(body))
      case 'messageStop':
        return this.stop(body)
      case 'metadata':
        return this.tellUsage(body)
    }
  }

  private start(): void {
    if (this.started) return
    this.started = true
    this.parts.push({ type: 'start', id: '', created: null, usage: null, serviceTier: null, systemFingerprint: null })
  }

  private startBlock(index: number, { toolUse, image }: JsonObject): void {
    if (isObject(image)) this.blocks.at(index, 'image', null, textOf(image['format']))
    // What Bedrock runs itself is no call of the client's.
    if (!isObject(toolUse) || isOwnCall(toolUse)) return
    const told = textOf(toolUse['name'])
    const name = this.memo.names?.get(told) ?? told
    const custom = this.memo.customs.includes(name)
    const { number: block } = this.blocks.at(index, 'call', custom ? new ToolText() : null)
    const kind = custom ? { kind: 'custom' as const } : {}
    this.parts.push({ type: 'tool_call', choice: 0, block, id: textOf(toolUse['toolUseId']), name, ...kind })
  }

  private addTo(index: number, delta: JsonObject): void {
    const { text, reasoningContent, toolUse, citation, image } = delta
    if (typeof text === 'string') {
      if (text === '') return
      const block = this.blocks.at(index, 'text')
      block.length += text.length
      this.parts.push({ type: 'text', choice: 0, block: block.number, text })
    } else if (isObject(reasoningContent)) {
      this.think(index, reasoningContent)
    } else if (isObject(toolUse)) {
      this.addArguments(index, textOf(toolUse['input']))
    } else if (isObject(citation)) {
      const block = this.blocks.at(index, 'text')
      this.parts.push({
        type: 'citation',
        choice: 0,
        block: block.number,
        citation: readCitation(citation, block.length),
      })
    } else if (isObject(image)) {
      this.addImage(index, filledText(objectOf(image['source'])['bytes']))
    }
  }

  private addImage(index: number, base64: string | null): void {
    if (base64 === null) return
    const piece = Buffer.from(base64, 'base64')
    this.held += piece.length
    this.blocks.at(index, 'image').pieces.push(piece)
  }

  private think(index: number, { text, signature, redactedContent, data: before }: JsonObject): void {
    const thought = filledText(text)
    const signed = filledText(signature)
    const redacted = filledText(redactedContent) ?? filledText(before)
    if (thought === null && signed === null && redacted === null) return
    const { number: block } = this.blocks.at(index, 'thought')
    if (thought !== null) this.parts.push({ type: 'reasoning', choice: 0, block, text: thought })
    if (signed !== null) {
      this.parts.push({ type: 'signature', choice: 0, block, signature: { origin: 'converse', value: signed } })
    }
    if (redacted !== null) this.parts.push({ type: 'redacted', choice: 0, block, data: redacted, origin: 'converse' })
  }

  private addArguments(index: number, json: string): void {
    // One whose call has not begun is of what Bedrock runs itself.
    const block = this.blocks.find(index, 'call')
    if (block === null) return
    this.pushArguments(block, block.custom === null ? json : block.custom.take(json))
  }

  private pushArguments(block: Block, text: string): void {
    block.length += text.length
    if (text !== '') this.parts.push({ type: 'arguments', choice: 0, block: block.number, text })
  }

  private endBlocks(index: number | null): void {
    for (const block of this.blocks.end(index)) {
      this.endBlock(block)
      // Of a call that was not broken off, so that nobody waits for them.
      const saysNothing = block.kind === 'call' && block.custom === null && block.length === 0
      if (saysNothing && index !== null) this.pushArguments(block, NO_ARGUMENTS)
    }
  }

  private endBlock(block: Block): void {
    if (block.custom !== null) this.pushArguments(block, block.custom.close())
    if (block.kind !== 'image') return
    const whole = Buffer.concat(block.pieces)
    this.held -= whole.length
    const part = imageOf({ format: block.format, source: { bytes: whole.toString('base64') } })
    if (part !== null) this.parts.push({ type: 'part', choice: 0, block: block.number, part })
  }

  private stop({ stopReason, additionalModelResponseFields: fields }: JsonObject): void {
    if (this.stopped) return
    this.stopped = true
    this.endBlocks(null)
    this.parts.push({ type: 'finish', choice: 0, finish: readFinish(stopReason, fields, this.memo) })
    if (this.usage !== null) this.end(this.usage)
  }

  private tellUsage(body: JsonObject): void {
    const usage = readUsage(body['usage'])
    if (usage === null) return
    if (this.stopped) this.end({ type: 'usage', usage })
    else this.usage = { type: 'usage', usage }
  }

  private end(usage: StreamPart): void {
    this.ended = true
    this.parts.push(usage, { type: 'done' })
  }
}

const EVENTS: ReadonlySet<string> = new Set([
  'messageStart',
  'contentBlockStart',
  'contentBlockDelta',
  'contentBlockStop',
  'messageStop',
  'metadata',
])
const NO_ARGUMENTS = '{}'
const TOO_LARGE: JsonObject = { message: 'an image is larger than can be held' }
const EXCEPTION = /^[a-zA-Z]+Exception$/

function indexOf(body: JsonObject): number {
  return numberOf(body['contentBlockIndex']) ?? 0
}
