/** `POST /v1/chat/completions`, relayed as it is: OpenAI's API reference, "Create chat completion". */
import { isAscii, isUtf8 } from 'node:buffer'

import { chatConversation, chatFeatures, chatUser, estimateTokens, GatewayError } from '@millrace/shared'

import { readChatAnswer, type ReadAnswer } from '../dialects/chat/answer.ts'
import { foldChatStream } from '../dialects/chat/fold.ts'
import { ChatCompletionStream } from '../dialects/chat/stream.ts'
import { chatCallsTools } from '../dialects/chat/tools.ts'
import { unfoldChatAnswer } from '../dialects/chat/unfold.ts'
import {
  findLeadingMembers,
  findMembers,
  latin1Literal,
  replaceAll,
  splice,
  type Edit,
  type Range,
} from '../stream/json.ts'
import type { InBandError, StreamObserver } from '../stream/observed.ts'
import type { Call, Endpoint, Features } from './endpoint.ts'
import { estimateInput } from './input-estimate.ts'
import { KnownCalls } from './known-calls.ts'

export const chatCompletions: Endpoint = {
  path: '/v1/chat/completions',
  upstreamPath: '/chat/completions',
  unkeyed: new Set(['user', 'metadata', 'stream', 'stream_options']),
  parse: (body) => known.find(body) ?? new ChatCompletionCall(body),
  forget: () => known.clear(),
  fold: foldChatStream,
  unfold: unfoldChatAnswer,
  callsTools: chatCallsTools,
  reportsError: (body) => REPORTED_ERROR.test(body),
}

const known = new KnownCalls<ChatCompletionCall>()
/** As OpenRouter puts it into a choice. In a text the quotes would be escaped. */
const REPORTED_ERROR = /"finish_reason"\s*:\s*"error"|"error"\s*:\s*\{/

const MODEL = new Set(['model'])
const NOTHING = Buffer.alloc(0)
const STREAM_OPTIONS = new Set(['stream_options'])
const INCLUDE_USAGE = '"stream_options":{"include_usage":true}'

class ChatCompletionCall implements Call {
  readonly model: string
  /** {@link model} as a JSON literal, latin1. */
  private readonly modelLiteral: string
  readonly stream: boolean
  readonly includesUsage: boolean
  readonly bodyLength: number
  readonly maxOutputTokens: number | null
  readonly keepsState: boolean
  readonly user: string | null
  readonly conversation: string | null
  text: string
  private body: Buffer
  private readonly streamOptions: Record<string, unknown> | null
  private featuresRead: Features | null = null
  private inputRead: number | null = null
  private remembered = false

  constructor(body: Buffer) {
    this.body = body
    this.bodyLength = body.length
    this.text = body.toString('latin1')
    const request = parseObject(body, this.text)
    const { model, messages, stream, store, stream_options: streamOptions } = request
    if (typeof model !== 'string' || model === '') {
      throw new GatewayError('model_required', 'You must name a model: "model" has to be a string.', { param: 'model' })
    }
    if (!Array.isArray(messages) || messages.length === 0) {
      throw new GatewayError('messages_required', '"messages" has to be a list of at least one message.', {
        param: 'messages',
      })
    }
    this.model = model
    this.modelLiteral = latin1Literal(model)
    this.stream = stream === true
    this.maxOutputTokens = outputLimit(request)
    this.keepsState = store === true
    this.user = chatUser(request)
    this.conversation = chatConversation(request)
    this.streamOptions = isObject(streamOptions) ? streamOptions : null
    this.includesUsage = this.stream && this.streamOptions?.['include_usage'] === true
  }

  get inputTokens(): number {
    this.inputRead ??= this.text === '' ? estimateTokens(this.bodyLength) : estimateInput(this.text)
    return this.inputRead
  }

  features(): Features {
    this.featuresRead ??= chatFeatures(parseObject(this.body, this.text))
    return this.featuresRead
  }

  members(names: ReadonlySet<string>): ReadonlyMap<string, readonly unknown[]> {
    const values = new Map<string, unknown[]>()
    for (const [name, ranges] of findMembers(this.text, names) ?? []) values.set(name, valuesAt(this.text, ranges))
    return values
  }

  encode(providerModel: string): Buffer {
    const edits: Edit[] = []
    const models = this.modelRanges()
    // Of several, another parser may take another than was looked at here.
    if (providerModel !== this.model || models.length > 1) {
      edits.push(...replaceAll(models, latin1Literal(providerModel)))
    }
    if (this.addsUsage()) edits.push(...this.askForUsage())
    if (edits.length === 0) return this.body
    edits.sort((a, b) => a.start - b.start)
    return Buffer.from(splice(this.text, edits), 'latin1')
  }

  observe(keepUsage = false): StreamObserver {
    return new ChatCompletionStream(this.modelLiteral, this.addsUsage() && !keepUsage)
  }

  read(answer: string): ReadAnswer | InBandError | null {
    return readChatAnswer(answer, this.modelLiteral)
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
    this.remembered ||= known.add(this)
    return this.remembered
  }

  private addsUsage(): boolean {
    return this.stream && !this.includesUsage
  }

  private modelRanges(): readonly Range[] {
    // Most clients write `{"model":"…"` first and never again; then there is nothing to search for.
    const literal = this.modelLiteral
    if (this.text.startsWith(literal, 9) && this.text.startsWith('{"model":') && isOnlyModel(this.text)) {
      return [{ start: 9, end: 9 + literal.length }]
    }
    return findMembers(this.text, MODEL)?.get('model') ?? []
  }

  private askForUsage(): Edit[] {
    const ranges = findMembers(this.text, STREAM_OPTIONS)?.get('stream_options')
    if (ranges) {
      const literal = Buffer.from(JSON.stringify({ ...this.streamOptions, include_usage: true })).toString('latin1')
      return replaceAll(ranges, literal)
    }
    const start = this.text.indexOf('{') + 1
    return [{ start, end: start, literal: `${INCLUDE_USAGE},` }]
  }
}

function outputLimit(request: Record<string, unknown>): number | null {
  const { max_completion_tokens: most, max_tokens: mostBefore, n } = request
  const each = isCount(most) ? most : isCount(mostBefore) ? mostBefore : null
  return each && Math.ceil(each * (isCount(n) ? Math.max(1, n) : 1))
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value)
}

/** No second member of that name, however spelt: an escaped `m`, `o`, `d`, `e` or `l` begins with \u006. */
function isOnlyModel(source: string): boolean {
  return source.indexOf('"model"', 3) < 0 && !source.includes('\\u006')
}

function parseObject(body: Buffer, latin1: string): Record<string, unknown> {
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

/** @param latin1 JSON in UTF-8, its bytes as latin1 */
function valuesAt(latin1: string, ranges: readonly Range[]): unknown[] {
  return ranges.map(({ start, end }) => JSON.parse(Buffer.from(latin1.slice(start, end), 'latin1').toString('utf8')))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
