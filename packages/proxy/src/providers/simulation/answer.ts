/** What a simulated model says, in OpenAI's shapes. */
import { estimateTokens, type SimulatedSettings } from '@millrace/shared'

export interface SimulatedRequest {
  readonly model: string
  readonly stream: boolean
  readonly includeUsage: boolean
  readonly bodyLength: number
}

export function readRequest(body: Buffer): SimulatedRequest {
  const { model, stream, stream_options: options } = JSON.parse(body.toString()) as Record<string, unknown>
  return {
    model: String(model),
    stream: stream === true,
    includeUsage: (options as { include_usage?: unknown } | null | undefined)?.include_usage === true,
    bodyLength: body.length,
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

export function wholeAnswer(id: string, request: SimulatedRequest, tokens: readonly string[]): string {
  return JSON.stringify({
    id,
    object: 'chat.completion',
    created: seconds(),
    model: request.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: tokens.join(''), refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: usage(request, tokens.length),
  })
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

  role(): string {
    return this.chunk({ role: 'assistant', content: '', refusal: null }, null)
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

  private chunk(delta: object, finishReason: 'stop' | null): string {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason: finishReason }]
    return this.event(this.request.includeUsage ? { choices, usage: null } : { choices })
  }

  private event(rest: object): string {
    const { id, created, request } = this
    return `data: ${JSON.stringify({ id, object: 'chat.completion.chunk', created, model: request.model, ...rest })}\n\n`
  }
}

function seconds(): number {
  return Math.floor(Date.now() / 1000)
}
