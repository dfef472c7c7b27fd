/** `x-millrace-include: metadata`: what an answer tells of itself, for clients that can't see headers. */
import { findMembers, latin1Literal, replaceAll, splice } from '../stream/json.ts'
import type { Attempt } from './attempt.ts'
import type { Exchange } from './exchange.ts'

export function includesMetadata({ req }: Exchange): boolean {
  const asked = req.headers['x-millrace-include']
  return typeof asked === 'string' && asked.split(',').some((name) => name.trim().toLowerCase() === 'metadata')
}

const METADATA = new Set(['metadata'])

/**
 * A JSON object with `metadata` in it, in place of the provider's own if it has any.
 * @param text the object, or an event with it, latin1
 */
export function withMetadata(text: string, attempt: Attempt): string {
  const [start, end] = [text.indexOf('{'), text.lastIndexOf('}')]
  const json = text.slice(start, end + 1)
  const literal = metadataJson(attempt)
  const own = findMembers(json, METADATA)?.get('metadata')
  const changed = own ? splice(json, replaceAll(own, literal)) : `${json.slice(0, -1)},"metadata":${literal}}`
  return text.slice(0, start) + changed + text.slice(end + 1)
}

function metadataJson({ exchange, route, model }: Attempt): string {
  const latencyMs = Math.round((performance.now() - exchange.began) * 1000) / 1000
  return (
    `{"request_id":${latin1Literal(exchange.requestId)},"provider":${latin1Literal(route.provider.name)},` +
    `"model":${latin1Literal(model)},"cached":false,"cache_tier":null,` +
    `"attempts":${exchange.attempts.length},"latency_ms":${latencyMs},"cost_usd":${exchange.costUsd ?? 'null'}}`
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
  private readonly attempt: Attempt

  constructor(attempt: Attempt) {
    this.attempt = attempt
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
    return withMetadata(last, this.attempt) + done
  }

  /** What is held, of a stream that ends otherwise. */
  rest(): string {
    const { held } = this
    this.held = ''
    return held
  }

  private emptyChunk(): string {
    const { id, call, startedAt } = this.attempt.exchange
    const created = Math.floor(startedAt / 1000)
    return `data: {"id":"chatcmpl-${id}","object":"chat.completion.chunk","created":${created},"model":${latin1Literal(call!.model)},"choices":[]}\n\n`
  }
}
