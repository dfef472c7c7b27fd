/**
 * One client request from its first byte to its record: who asks, what for, how it went. Whatever happens, its
 * response closes exactly once, and with it the exchange, which writes the one record.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

import { newId, NO_USAGE, type RequestStatus, type TokenUsage } from '@millrace/shared'

import type { Call } from '../endpoints/dialect.ts'
import { draftRecord } from '../records/draft.ts'
import type { Slotted } from '../slots.ts'
import type { CompiledAlias, CompiledSnapshot, CompiledToken } from '../snapshot/compiled.ts'
import type { Attempt } from './attempt.ts'
import { requestIdOf } from './client-headers.ts'
import type { Gateway } from './gateway.ts'

const kExchange = Symbol('exchange')

/** How long a client may take nothing of an answer that is complete here. */
const STALLED_MS = 60_000

interface ExchangeResponse extends ServerResponse {
  [kExchange]?: Exchange
}

/** How a request ended. */
export interface Outcome {
  readonly status: RequestStatus
  readonly errorClass: string | null
  readonly errorMessage: string | null
}

const SUCCESS: Outcome = { status: 'SUCCESS', errorClass: null, errorMessage: null }
const CANCELLED: Outcome = {
  status: 'CANCELLED',
  errorClass: 'client_cancelled',
  errorMessage: 'the client went before its answer was complete',
}

export class Exchange implements Slotted {
  slot = -1
  readonly id = newId()
  readonly requestId: string
  readonly startedAt = Date.now()
  readonly began = performance.now()
  readonly gateway: Gateway
  readonly endpoint: string
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** Read once, kept to the end: a change of configuration concerns the requests after it. */
  readonly snapshot: CompiledSnapshot | null
  token: CompiledToken | null = null
  call: Call | null = null
  alias: CompiledAlias | null = null
  readonly attempts: Attempt[] = []
  usage: TokenUsage = NO_USAGE
  /** Milliseconds so far in which the gateway waited: for the client's body, and for providers. */
  waitedMs = 0
  latencyMs = 0
  outcome: Outcome | null = null
  private overhead: number | null = null

  constructor(gateway: Gateway, endpoint: string, req: IncomingMessage, res: ServerResponse) {
    this.gateway = gateway
    this.endpoint = endpoint
    this.req = req
    this.res = res
    this.snapshot = gateway.configuration.current
    this.requestId = requestIdOf(req.headers) ?? this.id
    ;(res as ExchangeResponse)[kExchange] = this
    res.on('close', onClose)
    res.on('drain', onDrain)
    // A write that finds the socket gone is told here; the close that follows says all there is to say.
    res.on('error', ignore)
    gateway.active.add(this)
    gateway.served++
  }

  /** Milliseconds that the gateway itself took until its answer began; measured when first asked for. */
  overheadMs(): number {
    this.overhead ??= Math.max(0, performance.now() - this.began - this.waitedMs)
    return this.overhead
  }

  /** The client has all that it will ever look at, whether or not it waits for the connection's end. */
  succeed(): void {
    this.outcome ??= SUCCESS
  }

  /** The first outcome stands: what follows from a failure is not another one. */
  fail(status: RequestStatus, errorClass: string, errorMessage: string): void {
    this.outcome ??= { status, errorClass, errorMessage }
  }

  private record(): void {
    try {
      this.gateway.records.push(JSON.stringify(draftRecord(this)))
    } catch (error) {
      // Of what a client sent nothing should be able to do this; if something is, it costs a record, and no other request.
      this.gateway.records.dropped++
      this.gateway.log.error({ err: error, requestId: this.requestId }, 'a record could not be written')
    }
  }

  /** The attempt that is under way, if any. */
  get attempt(): Attempt | undefined {
    return this.attempts.at(-1)
  }

  /** Ends the answer. A client that does not take what is left of it is cut off: nothing else would ever end it. */
  end(body?: string, encoding: BufferEncoding = 'utf8'): void {
    const { res } = this
    if (body === undefined) res.end()
    else res.end(body, encoding)
    if (res.writableLength > 0) res.socket?.setTimeout(STALLED_MS)
  }

  /** @internal called once, by the response's close */
  close(): void {
    this.latencyMs = performance.now() - this.began
    this.attempt?.cancel()
    this.outcome ??= this.res.writableFinished ? SUCCESS : CANCELLED
    this.gateway.active.remove(this)
    this.record()
  }
}

function onClose(this: ExchangeResponse): void {
  this[kExchange]?.close()
}

function onDrain(this: ExchangeResponse): void {
  this[kExchange]?.attempt?.resume()
}

function ignore(): void {}
