/** `x-millrace-include: metadata`: what an answer tells of itself, for clients that can't see headers. */
import { latin1Literal } from '../stream/json.ts'
import type { Exchange } from './exchange.ts'

export function includesMetadata({ req }: Exchange): boolean {
  const asked = req.headers['x-millrace-include']
  return typeof asked === 'string' && asked.split(',').some((name) => name.trim().toLowerCase() === 'metadata')
}

/** A JSON object with `metadata` in it as the last member. @param json latin1 */
export function withMetadata(json: string, exchange: Exchange): string {
  const end = json.lastIndexOf('}')
  return `${json.slice(0, end)},"metadata":${metadataJson(exchange)}${json.slice(end)}`
}

function metadataJson(exchange: Exchange): string {
  const { attempt, costUsd } = exchange
  const latencyMs = Math.round((performance.now() - exchange.began) * 1000) / 1000
  return (
    `{"request_id":${latin1Literal(exchange.requestId)},"provider":${latin1Literal(attempt!.route.provider.name)},` +
    `"model":${latin1Literal(attempt!.model)},"cached":false,"cache_tier":null,` +
    `"attempts":${exchange.attempts.length},"latency_ms":${latencyMs},"cost_usd":${costUsd ?? 'null'}}`
  )
}

/** How a chunk that may be a stream's last looks: one that tells why the answer ended, or that has no choices (usage). */
const MAYBE_LAST = /"finish_reason"\s*:\s*"|"choices"\s*:\s*\[\s*\]/

/**
 * Puts metadata into a stream's last chunk. Which one that is, is known only when `[DONE]` follows, so those that may be it
 * are held for the next; content never waits.
 */
export class MetadataTail {
  private held = ''
  private readonly exchange: Exchange

  constructor(exchange: Exchange) {
    this.exchange = exchange
  }

  /**
   * @param event what the client is to get next, a whole event, latin1
   * @returns what it gets now
   */
  take(event: string): string {
    if (event === '' || event.startsWith(':')) return event
    const before = this.held
    this.held = MAYBE_LAST.test(event) ? event : ''
    return this.held === '' ? before + event : before
  }

  /** The stream is whole. @param done its terminal event */
  finish(done: string): string {
    const last = this.held || this.emptyChunk()
    this.held = ''
    return withMetadata(last, this.exchange) + done
  }

  /** What is held, of a stream that ends otherwise. */
  rest(): string {
    const { held } = this
    this.held = ''
    return held
  }

  private emptyChunk(): string {
    const { id, call, startedAt } = this.exchange
    const created = Math.floor(startedAt / 1000)
    return `data: {"id":"chatcmpl-${id}","object":"chat.completion.chunk","created":${created},"model":${latin1Literal(call!.model)},"choices":[]}\n\n`
  }
}
