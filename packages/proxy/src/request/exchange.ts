/**
 * One client request from its first byte to its record: who asks, what for, how it went. Whatever happens, its
 * response closes exactly once, and with it the exchange, which writes the one record.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

import {
  clientIp,
  newId,
  type GatewayError,
  type IpKey,
  type RequestRecord,
  type RequestStatus,
} from '@millrace/shared'

import { BYPASSED, type CacheSaid } from '../cache/answer-headers.ts'
import type { AnswerOrigin } from '../cache/answer.ts'
import type { ErrorForm } from '../canonical/writer.ts'
import type { Call } from '../endpoints/endpoint.ts'
import type { Admission, Claim } from '../limits/store.ts'
import type { Found } from '../routing/found.ts'
import type { Slotted } from '../slots.ts'
import type { CompiledProject, CompiledSnapshot, CompiledToken } from '../snapshot/compiled.ts'
import type { RequestTrace } from '../tracing/request-trace.ts'
import { usedBy } from './account.ts'
import type { Delivery } from './answer-sink.ts'
import { isTrue, metadataOf, requestIdOf, textHeader } from './client-headers.ts'
import type { Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { CANCELLED, SUCCESS, type Outcome } from './outcome.ts'
import { tellOf } from './told.ts'

const kExchange = Symbol('exchange')

/** How long a client may take nothing of an answer that is complete here. */
const STALLED_MS = 60_000
/** How long `x-millrace-sync` holds an answer's end for its record to be stored. */
const SYNC_MS = 5_000

interface ExchangeResponse extends ServerResponse {
  [kExchange]?: Exchange
}

/** The last of an answer. */
interface Ending {
  readonly body: string | Buffer | undefined
  readonly encoding: BufferEncoding
}

export class Exchange implements Slotted {
  slot = -1
  readonly id = newId()
  readonly requestId: string
  readonly startedAt = Date.now()
  readonly began = performance.now()
  readonly gateway: Gateway
  readonly endpoint: string
  /** How its client is told of errors. */
  readonly errors: ErrorForm
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** Read once, kept to the end: a change of configuration concerns the requests after it. */
  readonly snapshot: CompiledSnapshot | null
  /** Null: it is not traced. */
  readonly trace: RequestTrace | null
  token: CompiledToken | null = null
  /** The token's. */
  project: CompiledProject | null = null
  call: Call | null = null
  /** How its stream's last event begins, see Endpoint; null: with `[DONE]`. */
  lastEvent: RegExp | null = null
  /** What the model's name led to. */
  found: Found | null = null
  /** The upstream key that the client brings itself, and the name of the provider that it is for, if it names one. */
  ownKey: string | null = null
  ownKeyFor: string | null = null
  /** What it holds of its limits; null: nothing, or no more. */
  claim: Claim | null = null
  /** How its limits stood when it asked for them; null: it has none, or has not. */
  admission: Admission | null = null
  /** The flight that its answer comes from; null where no provider is asked for it. */
  flight: Flight | null = null
  /** Whether the flight is on its account: of several requests that share one, one is charged. */
  pays = true
  /** Whether a flight that it had waited for came to nothing, so that it asked anew. */
  askedAnew = false
  /** The stored answer that it is given; null: none. */
  stored: AnswerOrigin | null = null
  /** What has become of it at the cache. */
  cache: CacheSaid = BYPASSED
  /** When its client began to get content, as `performance.now()`, where that is not when the provider gave it. */
  firstTokenAt: number | null = null
  latencyMs = 0
  outcome: Outcome | null = null
  /** Why it may not go on, where something has come in its way that is not its own. */
  cutBy: GatewayError | null = null
  private overhead: number | null = null
  /** Milliseconds so far in which the gateway waited: for the client's body, for providers, between attempts. */
  private waitedMs = 0
  /** What is waited for now, and since when anything has been. */
  private waits = 0
  private waitBegan = 0
  /** Undefined until it was looked for. */
  private metadataRead: RequestRecord['metadata'] | undefined = undefined
  private delivery: Delivery | null = null
  private recorded = false
  /** What is left to be sent of a complete answer that waits for its record to be stored. */
  private held: Ending | null = null
  private hurried = false

  constructor(gateway: Gateway, endpoint: string, errors: ErrorForm, req: IncomingMessage, res: ServerResponse) {
    this.gateway = gateway
    this.endpoint = endpoint
    this.errors = errors
    this.req = req
    this.res = res
    this.snapshot = gateway.configuration.current
    this.trace = gateway.tracing && gateway.tracing.begin(req.headers)
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
    if (this.overhead === null) {
      const now = performance.now()
      const waiting = this.waits > 0 ? now - this.waitBegan : 0
      this.overhead = Math.max(0, now - this.began - this.waitedMs - waiting)
    }
    return this.overhead
  }

  /** `x-millrace-user`, else the body's own. */
  get userKey(): string | null {
    return textHeader(this.req.headers, 'x-millrace-user') ?? this.call?.user ?? null
  }

  /** `x-millrace-conversation`, else the body's own. */
  get conversationKey(): string | null {
    return textHeader(this.req.headers, 'x-millrace-conversation') ?? this.call?.conversation ?? null
  }

  /** The client's address, as far as it can be believed; null: not known. */
  get clientIp(): IpKey | null {
    const { req, gateway } = this
    return clientIp(req.socket.remoteAddress, req.headers['x-forwarded-for'], gateway.trustedProxies)
  }

  get metadata(): RequestRecord['metadata'] {
    if (this.metadataRead === undefined) this.metadataRead = metadataOf(this.req.headers)
    return this.metadataRead
  }

  /** Whether there is nobody left to answer, or nothing left to say. */
  get over(): boolean {
    return this.res.closed || this.res.writableEnded || this.held !== null
  }

  /** From now on until {@link endWait}, time passes that is not the gateway's own. Several waits may overlap. */
  beginWait(): void {
    if (this.waits++ === 0) this.waitBegan = performance.now()
  }

  endWait(): void {
    if (--this.waits === 0) this.waitedMs += performance.now() - this.waitBegan
  }

  /** Waits for something that is not the gateway's own work. */
  async until<T>(promise: Promise<T>): Promise<T> {
    this.beginWait()
    try {
      return await promise
    } finally {
      this.endWait()
    }
  }

  /** The client has all that it will ever look at, whether or not it waits for the connection's end. */
  succeed(): void {
    this.outcome ??= SUCCESS
  }

  /** The first outcome stands: what follows from a failure is not another one. */
  fail(status: RequestStatus, errorClass: string, errorMessage: string): void {
    this.outcome ??= { status, errorClass, errorMessage }
  }

  /** It is let in, and goes on to its answer. */
  admitted(): void {
    const { live } = this.gateway
    if (live.wanted) live.started(this)
  }

  /** From now on its answer comes so. */
  deliverBy(delivery: Delivery): void {
    this.delivery = delivery
  }

  /** @internal the client takes more again */
  drained(): void {
    this.delivery?.resume()
  }

  /** Ends it because it may not go on. @returns whether its client has been told so by this */
  cut(error: GatewayError): boolean {
    return this.delivery !== null && this.delivery.cut(error)
  }

  /** The process ends. @returns whether the client is told so by this, now or in a moment */
  abandon(): boolean {
    return this.delivery !== null && this.delivery.abandon()
  }

  /**
   * Ends the answer, whose outcome is settled. A client that does not take what is left of it is cut off: nothing else
   * would ever end it. With `x-millrace-sync` it ends when its record is stored, unless the process can't wait.
   */
  end(body?: string | Buffer, encoding: BufferEncoding = 'utf8'): void {
    if (isTrue(this.req.headers, 'x-millrace-sync') && !this.hurried) void this.endRecorded({ body, encoding })
    else this.endNow({ body, encoding })
  }

  /**
   * Whether its client may take nothing for long. One that may not is cut off; the socket sees to that, until the next request
   * on it.
   */
  allowStall(allowed: boolean): void {
    this.res.socket?.setTimeout(allowed ? 0 : STALLED_MS)
  }

  /** The process ends: nothing more is waited for. @returns whether an answer was complete, and has been ended by this */
  hurry(): boolean {
    this.hurried = true
    const { held } = this
    if (held !== null) this.endNow(held)
    return held !== null
  }

  /** @internal called once, by the response's close */
  close(): void {
    this.delivery?.cancel()
    this.outcome ??= this.res.writableFinished ? SUCCESS : CANCELLED
    this.gateway.active.remove(this)
    this.record()
  }

  private async endRecorded(ending: Ending): Promise<void> {
    this.held = ending
    this.succeed()
    this.record()
    await this.gateway.records.stored(SYNC_MS)
    if (this.held !== null) this.endNow(ending)
  }

  private endNow({ body, encoding }: Ending): void {
    const { res } = this
    this.held = null
    if (body === undefined) res.end()
    else res.end(body, encoding)
    if (res.writableLength > 0) this.allowStall(false)
  }

  /** Before its record goes: control must not know of it sooner than what counts its limits. */
  private settle(): void {
    const { claim } = this
    this.claim = null
    if (claim !== null) this.gateway.limits.settle(claim, usedBy(this))
  }

  private record(): void {
    if (this.recorded) return
    this.recorded = true
    this.latencyMs = performance.now() - this.began
    this.settle()
    tellOf(this)
  }
}

function onClose(this: ExchangeResponse): void {
  this[kExchange]?.close()
}

function onDrain(this: ExchangeResponse): void {
  this[kExchange]?.drained()
}

function ignore(): void {}
