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

  succeed(): void {
    this.outcome ??= SUCCESS
  }

  /** The first outcome stands: what follows from a failure is not another one. */
  fail(status: RequestStatus, errorClass: string, errorMessage: string): void {
    this.outcome ??= { status, errorClass, errorMessage }
  }

  /** The attempt that is under way, if any. */
  get attempt(): Attempt | undefined {
    return this.attempts.at(-1)
  }

  /** The process ends before this request did: its client is told so, or cut off. */
  abandon(): void {
    this.fail('ERROR', 'shutting_down', 'the gateway is shutting down')
    if (this.attempt) this.attempt.abandon()
    else this.res.destroy()
  }

  /** @internal called once, by the response's close */
  close(): void {
    this.latencyMs = performance.now() - this.began
    this.attempt?.cancel()
    this.outcome ??= CANCELLED
    this.gateway.active.remove(this)
    this.gateway.records.push(JSON.stringify(draftRecord(this)))
  }
}

function onClose(this: ExchangeResponse): void {
  this[kExchange]?.close()
}

function onDrain(this: ExchangeResponse): void {
  this[kExchange]?.attempt?.resume()
}

function ignore(): void {}
