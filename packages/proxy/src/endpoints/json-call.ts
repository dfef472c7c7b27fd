/** What the calls of all endpoints with a JSON body have in common. */
import { isAscii, isUtf8 } from 'node:buffer'

import { estimateTokens, GatewayError } from '@millrace/shared'

import type { CanonicalRequest } from '../canonical/request.ts'
import { isObject, type JsonObject } from '../canonical/values.ts'
import {
  findLeadingMembers,
  findMembers,
  latin1Literal,
  replaceAll,
  splice,
  utf8FromLatin1,
  type Edit,
  type Range,
} from '../stream/json.ts'
import type { InBandError, ReadAnswer, StreamObserver } from '../stream/observed.ts'
import type { Call, Features } from './endpoint.ts'
import { estimateInput } from './input-estimate.ts'

const MODEL = new Set(['model'])
const NOTHING = Buffer.alloc(0)

export abstract class JsonCall implements Call {
  readonly model: string
  /** {@link model} as a JSON literal, latin1. */
  protected readonly modelLiteral: string
  readonly stream: boolean
  abstract readonly includesUsage: boolean
  readonly bodyLength: number
  abstract readonly maxOutputTokens: number | null
  abstract readonly keepsState: boolean
  abstract readonly user: string | null
  abstract readonly conversation: string | null
  text: string
  private body: Buffer
  private featuresRead: Features | null = null
  private inputRead: number | null = null
  private remembered = false

  /**
   * @param request the body, parsed by {@link parseBody}
   * @throws GatewayError model_required
   */
  constructor(body: Buffer, text: string, request: JsonObject) {
    const { model, stream } = request
    if (typeof model !== 'string' || model === '') {
      throw new GatewayError('model_required', 'You must name a model: "model" has to be a string.', { param: 'model' })
    }
    this.body = body
    this.bodyLength = body.length
    this.text = text
    this.model = model
    this.modelLiteral = latin1Literal(model)
    this.stream = stream === true
  }

  get inputTokens(): number {
    this.inputRead ??= this.text === '' ? estimateTokens(this.bodyLength) : estimateInput(this.text)
    return this.inputRead
  }

  features(): Features {
    this.featuresRead ??= this.featuresOf(this.parsed())
    return this.featuresRead
  }

  canonical(): CanonicalRequest {
    return this.canonicalOf(this.parsed())
  }

  members(names: ReadonlySet<string>): ReadonlyMap<string, readonly unknown[]> {
    const values = new Map<string, unknown[]>()
    for (const [name, ranges] of findMembers(this.text, names) ?? []) values.set(name, valuesAt(this.text, ranges))
    return values
  }

  encode(providerModel: string, dropped: string[] = []): Buffer {
    const edits: Edit[] = []
    const models = this.modelRanges()
    // Of several, another parser may take another than was looked at here.
    if (providerModel !== this.model || models.length > 1) {
      edits.push(...replaceAll(models, latin1Literal(providerModel)))
    }
    this.addEdits(edits, providerModel, dropped)
    if (edits.length === 0) return this.body
    edits.sort((a, b) => a.start - b.start)
    return Buffer.from(splice(this.text, edits), 'latin1')
  }

  renameModel(beginning: string): string {
    return splice(beginning, replaceAll(findLeadingMembers(beginning, MODEL).get('model') ?? [], this.modelLiteral))
  }

  release(): void {
    if (this.remembered) return
    this.body = NOTHING
    this.text = ''
  }

  remember(): boolean {
    this.remembered ||= this.keep()
    return this.remembered
  }

  abstract observe(keepUsage?: boolean, endsWithoutDone?: boolean): StreamObserver
  abstract read(text: string): ReadAnswer | InBandError | null
  protected abstract featuresOf(request: JsonObject): Features
  protected abstract canonicalOf(request: JsonObject): CanonicalRequest
  /** @returns whether the endpoint's KnownCalls has it from now on */
  protected abstract keep(): boolean

  /** What else is changed of the body on its way to who speaks the same API. @param _dropped see {@link Call.encode} */
  protected addEdits(_edits: Edit[], _providerModel: string, _dropped: string[]): void {}

  private parsed(): JsonObject {
    return parseBody(this.body, this.text)
  }

  private modelRanges(): readonly Range[] {
    // Most clients write `{"model":"…"` first and never again; then there is nothing to search for.
    const literal = this.modelLiteral
    if (this.text.startsWith(literal, 9) && this.text.startsWith('{"model":') && isOnlyModel(this.text)) {
      return [{ start: 9, end: 9 + literal.length }]
    }
    return findMembers(this.text, MODEL)?.get('model') ?? []
  }
}

/** No second member of that name, however spelt: an escaped `m`, `o`, `d`, `e` or `l` begins with \u006. */
function isOnlyModel(source: string): boolean {
  return source.indexOf('"model"', 3) < 0 && !source.includes('\\u006')
}

/** @param latin1 the body's bytes @throws GatewayError invalid_json */
export function parseBody(body: Buffer, latin1: string): JsonObject {
  let request: unknown
  try {
    if (isAscii(body)) request = JSON.parse(latin1)
    else if (isUtf8(body)) request = JSON.parse(body.toString('utf8'))
    else throw new SyntaxError('not UTF-8')
  } catch {
    throw new GatewayError('invalid_json', 'The request body is not valid JSON (RFC 8259, in UTF-8).')
  }
  if (!isObject(request)) throw new GatewayError('invalid_json', 'The request body has to be a JSON object.')
  return request
}

/** @throws GatewayError messages_required */
export function requireMessages({ messages }: JsonObject): void {
  if (Array.isArray(messages) && messages.length > 0) return
  throw new GatewayError('messages_required', '"messages" has to be a list of at least one message.', {
    param: 'messages',
  })
}

/** @param latin1 JSON in UTF-8, its bytes as latin1 */
export function valuesAt(latin1: string, ranges: readonly Range[]): unknown[] {
  return ranges.map(({ start, end }) => JSON.parse(utf8FromLatin1(latin1.slice(start, end))))
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value)
}
