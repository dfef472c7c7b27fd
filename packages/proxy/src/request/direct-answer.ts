import type { GatewayError } from '@millrace/shared'

import { addAnswerHeaders, gatewayHeaders, STREAM_HEADERS } from './answer-headers.ts'
import { includesMetadata, MetadataTail, withMetadata } from './answer-metadata.ts'
import type { AnswerSink, Delivery } from './answer-sink.ts'
import type { Attempt } from './attempt.ts'
import { ChunkedBody } from './chunked.ts'
import type { Exchange } from './exchange.ts'
import { brokenOff, clientMessage, type Failure } from './failure.ts'
import { Flight } from './flight.ts'
import { errorEvent, sendRefusal } from './render-error.ts'

/** An answer for one request alone: what comes from the provider goes to the client's socket at once. */
export class DirectAnswer implements AnswerSink, Delivery {
  readonly keepsUsage = false
  private readonly exchange: Exchange
  /** Null until a stream has begun. */
  private body: ChunkedBody | null = null
  /** Null unless the client asks for it. */
  private tail: MetadataTail | null = null

  constructor(exchange: Exchange) {
    this.exchange = exchange
  }

  get over(): boolean {
    return this.exchange.over
  }

  whole(attempt: Attempt, body: string): void {
    const { exchange } = this
    const headers = headOf(exchange, attempt)
    const { costUsd } = exchange.flight!
    if (costUsd !== null) headers.push('x-millrace-cost-usd', costUsd)
    const text = includesMetadata(exchange) ? withMetadata(body, exchange) : body
    headers.push('content-length', String(text.length))
    exchange.res.writeHead(attempt.upstreamStatus!, headers)
    exchange.end(text, 'latin1')
  }

  begin(attempt: Attempt, stream: boolean): void {
    const { exchange } = this
    if (!stream) {
      exchange.res.writeHead(attempt.upstreamStatus!, headOf(exchange, attempt))
      return
    }
    const headers = gatewayHeaders(exchange)
    addAnswerHeaders(headers, attempt, STREAM_HEADERS)
    headers.push(...STREAM_HEADERS)
    exchange.res.writeHead(attempt.upstreamStatus!, headers)
    this.body = new ChunkedBody(exchange.res)
    if (includesMetadata(exchange)) this.tail = new MetadataTail(exchange)
  }

  contentBegins(): void {
    const { live } = this.exchange.gateway
    if (live.wanted) live.firstToken(this.exchange)
  }

  write(text: string): boolean {
    const { body, tail } = this
    if (body === null) return this.exchange.res.write(text, 'latin1')
    const told = tail === null ? text : tail.take(text)
    return told === '' || body.write(told)
  }

  writeUsage(text: string): boolean {
    return this.write(text)
  }

  done(): void {
    this.exchange.succeed()
  }

  end(text: string): void {
    const { exchange, body, tail } = this
    if (body === null) {
      exchange.end(text, 'latin1')
      return
    }
    exchange.succeed()
    if (!exchange.over) exchange.end(body.last(tail === null ? text : tail.take(text) + tail.rest()), 'latin1')
  }

  breakOff(failure: Failure): void {
    const { exchange, body, tail } = this
    const { status, code } = brokenOff(failure.errorClass, exchange.cutBy)
    const told = clientMessage(failure)
    exchange.fail(status, code, told)
    // Of half a body, only the connection's end can still say that it is not whole.
    if (body === null) exchange.res.destroy()
    else {
      const event = errorEvent(exchange, code, told, exchange.flight!.sequence)
      exchange.end(body.last((tail?.rest() ?? '') + event), 'latin1')
    }
  }

  refuse(failed: Attempt): void {
    const { refusal, errorClass, message } = failed.failure!
    this.exchange.fail('ERROR', errorClass, message)
    sendRefusal(this.exchange, refusal!)
  }

  resume(): void {
    this.exchange.flight!.resume()
  }

  cancel(): void {
    this.exchange.flight!.cancel()
  }

  cut(error: GatewayError): boolean {
    this.exchange.cutBy = error
    this.exchange.flight!.cut(error.message)
    return this.exchange.res.headersSent
  }

  abandon(): boolean {
    return this.exchange.flight!.abandon()
  }
}

/** A flight for one request alone, on its way with it. */
export function directFlight(exchange: Exchange): Flight {
  const answer = new DirectAnswer(exchange)
  const flight = new Flight(exchange, exchange.call!, exchange.found!, answer)
  exchange.flight = flight
  exchange.deliverBy(answer)
  return flight
}

function headOf(exchange: Exchange, attempt: Attempt): string[] {
  const headers = gatewayHeaders(exchange)
  addAnswerHeaders(headers, attempt)
  return headers
}
