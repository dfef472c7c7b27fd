/** `x-millrace-include: metadata`: what an answer tells of itself, for clients that can't see headers. */
import { eventData, EventSplitter } from '../stream/events.ts'
import { findMembers, latin1Literal, replaceAll, splice } from '../stream/json.ts'
import { attemptsOf, costOf } from './account.ts'
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
export function withMetadata(text: string, exchange: Exchange): string {
  const [start, end] = [text.indexOf('{'), text.lastIndexOf('}')]
  const json = text.slice(start, end + 1)
  const literal = metadataJson(exchange)
  const own = findMembers(json, METADATA)?.get('metadata')
  const changed = own ? splice(json, replaceAll(own, literal)) : `${json.slice(0, -1)},"metadata":${literal}}`
  return text.slice(0, start) + changed + text.slice(end + 1)
}

function metadataJson(exchange: Exchange): string {
  const { flight, stored, cache } = exchange
  const provider = stored?.providerName ?? flight?.attempt?.route.provider.name ?? ''
  const model = stored?.providerModel ?? flight?.attempt?.model ?? ''
  const latencyMs = Math.round((performance.now() - exchange.began) * 1000) / 1000
  return (
    `{"request_id":${latin1Literal(exchange.requestId)},"provider":${latin1Literal(provider)},` +
    `"model":${latin1Literal(model)},"cached":${cache.outcome === 'HIT'},` +
    `"cache_tier":${cache.outcome === 'HIT' ? `"${cache.tier}"` : 'null'},"attempts":${attemptsOf(exchange).length},` +
    `"latency_ms":${latencyMs},"cost_usd":${costOf(exchange) ?? 'null'}}`
  )
}

/** How a chunk that may be a stream's last looks: one that tells why the answer ended, or that has no choices (usage). */
const MAYBE_LAST = /"finish_reason"\s*:\s*"|"choices"\s*:\s*\[\s*\]/

/**
 * Puts metadata into a stream's last event. Some APIs tell it by its name; which of chat's chunks it is, is known only when
 * `[DONE]` follows, so those that may be it are held for the next; content never waits.
 */
export class MetadataTail {
  private held = ''
  private readonly splitter = new EventSplitter()
  private readonly exchange: Exchange

  constructor(exchange: Exchange) {
    this.exchange = exchange
  }

  /**
   * @param text what the client is to get next, latin1. With the stream's terminal event, what was used is settled
   * @returns what it gets now
   */
  take(text: string): string {
    const { splitter } = this
    let out = ''
    splitter.push(text)
    while (splitter.next()) out += this.takeEvent(splitter.text.slice(splitter.start, splitter.end))
    return out
  }

  /** What is held, of a stream that has ended. */
  rest(): string {
    const { held } = this
    this.held = ''
    return held + this.splitter.rest()
  }

  private takeEvent(event: string): string {
    const { lastEvent } = this.exchange
    if (lastEvent !== null) return lastEvent.test(event) ? withMetadata(event, this.exchange) : event
    if (event.startsWith(':')) return event
    if (event.includes('[DONE]') && eventData(event)?.trim() === '[DONE]') return this.finish(event)
    const before = this.held
    this.held = MAYBE_LAST.test(event) ? event : ''
    return this.held === '' ? before + event : before
  }

  private finish(done: string): string {
    const last = this.held || this.emptyChunk()
    this.held = ''
    return withMetadata(last, this.exchange) + done
  }

  private emptyChunk(): string {
    const { id, call, startedAt } = this.exchange
    const created = Math.floor(startedAt / 1000)
    return `data: {"id":"chatcmpl-${id}","object":"chat.completion.chunk","created":${created},"model":${latin1Literal(call!.model)},"choices":[]}\n\n`
  }
}
