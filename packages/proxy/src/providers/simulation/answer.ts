/** What a simulated model says, in OpenAI's shapes. */
import { estimateTokens, GatewayError, type SimulatedSettings } from '@millrace/shared'

import { embeddingsAnswer, readInput, type SimulatedInput } from './embeddings.ts'

export interface SimulatedRequest {
  readonly model: string
  /** Whether it is a text completion; else a chat, or {@link embeds}. */
  readonly completes: boolean
  /** Null: nothing is to be embedded. */
  readonly embeds: SimulatedInput | null
  /** Why it is refused; null: it is not. */
  readonly refusal: GatewayError | null
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly bodyLength: number
}

/** @param path below the provider's base URL */
export function readRequest(path: string, body: Buffer): SimulatedRequest {
  const request = JSON.parse(body.toString()) as Record<string, unknown>
  const { model, stream, stream_options: options } = request
  const isEmbeddings = path === '/embeddings'
  return {
    model: String(model),
    completes: path === '/completions',
    ...(isEmbeddings ? embeddedOf(request) : { embeds: null, refusal: null }),
    stream: stream === true && !isEmbeddings,
    includeUsage: (options as { include_usage?: unknown } | null | undefined)?.include_usage === true,
    bodyLength: body.length,
  }
}

function embeddedOf(request: Readonly<Record<string, unknown>>): Pick<SimulatedRequest, 'embeds' | 'refusal'> {
  try {
    return { embeds: readInput(request), refusal: null }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return { embeds: null, refusal: error }
  }
}

/** The reply, one word with its space a token; repeated or cut to the number of tokens that is set. */
export function replyTokens({ reply, outputTokens }: SimulatedSettings): readonly string[] {
  const words = reply.match(/\s*\S+/g) ?? [reply]
  if (outputTokens === null) return words
  return Array.from({ length: outputTokens }, (_, i) => {
    const word = words[i % words.length]!
    return i > 0 && i % words.length === 0 ? ` ${word.trimStart()}` : word
  })
}

function usage(request: SimulatedRequest, outputTokens: number) {
  const inputTokens = estimateTokens(request.bodyLength)
  return { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens }
}

/** How ids of a request's answers begin. */
export function idPrefix({ completes }: SimulatedRequest): string {
  return completes ? 'cmpl-' : 'chatcmpl-'
}

export function wholeAnswer(id: string, request: SimulatedRequest, tokens: readonly string[]): string {
  const { model, completes, embeds } = request
  if (embeds !== null) return embeddingsAnswer(model, embeds)
  const text = tokens.join('')
  const said = completes ? { text } : { message: { role: 'assistant', content: text, refusal: null } }
  return JSON.stringify({
    id,
    object: completes ? 'text_completion' : 'chat.completion',
    created: seconds(),
    model,
    choices: [{ index: 0, ...said, logprobs: null, finish_reason: 'stop' }],
    usage: usage(request, tokens.length),
  })
}

interface Delta {
  readonly role?: string
  readonly content?: string
  readonly refusal?: null
}

/** The events of a streamed answer, made as they are asked for. */
export class AnswerEvents {
  private next = 0
  private readonly created = seconds()
  private readonly id: string
  private readonly request: SimulatedRequest
  private readonly tokens: readonly string[]

  constructor(id: string, request: SimulatedRequest, tokens: readonly string[]) {
    this.id = id
    this.request = request
    this.tokens = tokens
  }

  /** What comes before the first token. */
  role(): string {
    return this.request.completes ? '' : this.chunk({ role: 'assistant', content: '', refusal: null }, null)
  }

  /** The next token's event, or null after the last. */
  token(): string | null {
    const content = this.tokens[this.next]
    if (content === undefined) return null
    this.next++
    return this.chunk({ content }, null)
  }

  ending(): string {
    const usageChunk = this.request.includeUsage
      ? this.event({ choices: [], usage: usage(this.request, this.tokens.length) })
      : ''
    return `${this.chunk({}, 'stop')}${usageChunk}data: [DONE]\n\n`
  }

  private chunk(delta: Delta, finishReason: 'stop' | null): string {
    const choices = [{ index: 0, ...this.said(delta), logprobs: null, finish_reason: finishReason }]
    return this.event(this.request.includeUsage ? { choices, usage: null } : { choices })
  }

  private event(rest: object): string {
    const { id, created, request } = this
    const object = request.completes ? 'text_completion' : 'chat.completion.chunk'
    return `data: ${JSON.stringify({ id, object, created, model: request.model, ...rest })}\n\n`
  }

  private said(delta: Delta): object {
    return this.request.completes ? { text: delta.content ?? '' } : { delta }
  }
}

function seconds(): number {
  return Math.floor(Date.now() / 1000)
}
