import type { AttemptErrorClass } from '@millrace/shared'

import { eventData, EventSplitter } from '../stream/events.ts'
import type { StreamObserver } from '../stream/observed.ts'
import { addUpstreamHeaders, gatewayHeaders, STREAM_HEADERS } from './answer-headers.ts'
import { includesMetadata, MetadataTail } from './answer-metadata.ts'
import type { Attempt } from './attempt.ts'
import { ChunkedBody } from './chunked.ts'
import { brokenOff, clientMessage } from './failure.ts'
import type { Relay } from './relay.ts'
import { errorEvent } from './render-error.ts'

/** Events before the first content are held so far; an upstream that says much before it answers is let through. */
const MOST_HELD = 65_536

/**
 * A stream: its events go to the client as they come, with back-pressure. Nothing goes before the first content,
 * so that until then another route can still answer.
 */
export class StreamRelay implements Relay {
  private held = ''
  /** Null until the answer has begun. */
  private body: ChunkedBody | null = null
  private readonly splitter = new EventSplitter()
  private readonly observer: StreamObserver
  private readonly attempt: Attempt
  /** Null unless the client asks for it. */
  private readonly tail: MetadataTail | null

  constructor(attempt: Attempt) {
    this.attempt = attempt
    this.observer = attempt.call.observe()
    this.tail = includesMetadata(attempt.exchange) ? new MetadataTail(attempt) : null
  }

  data(chunk: Buffer): void {
    const { splitter, observer } = this
    let out = ''
    splitter.push(chunk.toString('latin1'))
    while (splitter.next()) {
      out += this.take(splitter.text, splitter.start, splitter.end)
      if (observer.error !== null) return this.inBandError(out)
    }
    if (splitter.pendingLength > this.attempt.exchange.gateway.maxBodyBytes) {
      this.write(out)
      this.stop('upstream_invalid', 'an event is larger than an answer may be')
    } else {
      this.write(out)
    }
  }

  end(): void {
    const rest = this.splitter.rest()
    if (isWhole(rest)) this.write(this.take(`${rest}\n\n`, 0, rest.length + 2))
    if (this.observer.error !== null) this.inBandError('')
    else if (this.observer.ended) this.succeed()
    else this.stop('stream_truncated', 'the stream ended without its terminal event')
  }

  broken(errorClass: AttemptErrorClass, message: string): void {
    if (this.observer.ended) this.succeed()
    else this.stop(errorClass, message)
  }

  cancel(): void {
    const { attempt, observer } = this
    // A client may hang up on seeing [DONE], before the connection is done with it.
    if (observer.ended) {
      attempt.exchange.succeed()
      attempt.succeed(observer.usage, observer.contentEvents)
    } else {
      attempt.settleUsage(observer.usage, observer.contentEvents)
    }
  }

  /** One event. @returns what the client gets now */
  private take(text: string, start: number, end: number): string {
    const { observer, tail } = this
    if (tail === null) return observer.take(text, start, end)
    const { ended } = observer
    const event = observer.take(text, start, end)
    if (ended || !observer.ended) return tail.take(event)
    this.attempt.settleUsage(observer.usage, observer.contentEvents)
    return tail.finish(event)
  }

  private write(out: string): void {
    if (this.body === null) {
      this.held += out
      if (!this.observer.hasContent && this.held.length < MOST_HELD) return
      out = this.held
      this.held = ''
    }
    const body = (this.body ??= this.beginAnswer())
    if (this.attempt.firstTokenAt === null && this.observer.hasContent) this.attempt.contentSeen()
    if (out !== '' && !body.write(out)) this.attempt.pause()
  }

  private beginAnswer(): ChunkedBody {
    const { attempt } = this
    attempt.claim()
    const headers = gatewayHeaders(attempt.exchange)
    addUpstreamHeaders(headers, attempt.upstreamHeaders, STREAM_HEADERS)
    headers.push(...STREAM_HEADERS)
    attempt.exchange.res.writeHead(attempt.upstreamStatus!, headers)
    attempt.call.release()
    return new ChunkedBody(attempt.exchange.res)
  }

  private succeed(): void {
    const { attempt, observer } = this
    const body = (this.body ??= this.beginAnswer())
    attempt.exchange.succeed()
    attempt.succeed(observer.usage, observer.contentEvents)
    attempt.exchange.end(body.last(this.held + (this.tail?.rest() ?? '')), 'latin1')
  }

  private inBandError(out: string): void {
    const { message, type, code } = this.observer.error!
    this.write(out)
    this.stop('stream_error', [type, code, message].filter(Boolean).join(': '))
  }

  /** The stream cannot go on. Before the first byte the attempt has failed; after it the client is told in the stream. */
  private stop(errorClass: AttemptErrorClass, message: string): void {
    const { attempt, observer } = this
    attempt.fail(errorClass, message)
    if (this.body === null) return
    attempt.settleUsage(observer.usage, observer.contentEvents)
    const { status, code } = brokenOff(errorClass, attempt.exchange.cutBy)
    const told = clientMessage(attempt.failure!)
    attempt.exchange.fail(status, code, told)
    const event = Buffer.from(errorEvent(code, told)).toString('latin1')
    attempt.exchange.end(this.body.last((this.tail?.rest() ?? '') + event), 'latin1')
  }
}

/** Whether a last event that lacks its blank line is complete all the same, not cut off in the middle. */
function isWhole(event: string): boolean {
  const data = eventData(event)?.trim()
  if (data === undefined || data === '[DONE]') return data !== undefined
  try {
    JSON.parse(data)
    return true
  } catch {
    return false
  }
}
