/** Brings one client what is on a tape, as fast as it takes it, or with the pauses that it had; and what is still to come. */
import type { ErrorCode, GatewayError, RequestStatus } from '@millrace/shared'

import { costOf } from './account.ts'
import { gatewayHeaders, STREAM_HEADERS } from './answer-headers.ts'
import { includesMetadata, MetadataTail, withMetadata } from './answer-metadata.ts'
import type { Delivery } from './answer-sink.ts'
import { ChunkedBody } from './chunked.ts'
import type { Exchange } from './exchange.ts'
import { brokenOff, clientMessage, cutStatus } from './failure.ts'
import { refuse } from './refuse.ts'
import { errorEvent } from './render-error.ts'
import type { Tape } from './tape.ts'

/** What is given to a socket at once. */
const MOST_AT_ONCE = 65_536

/** Who has to know how a client gets on. */
export interface Listened {
  /** It takes more again. */
  flowing(playback: Playback): void
  /** It has all, or wants no more. Called once. */
  left(playback: Playback): void
}

export class Playback implements Delivery {
  readonly exchange: Exchange
  /** The part that comes next. */
  next = 0
  /** Bytes of the tape that lie behind it. */
  passed = 0
  /** Whether its client takes no more for now. */
  blocked = false
  private readonly tape: Tape
  private readonly listened: Listened | null
  private readonly paced: boolean
  private readonly wantsUsage: boolean
  private begun = false
  private over = false
  private body: ChunkedBody | null = null
  private tail: MetadataTail | null = null
  private timer: NodeJS.Timeout | null = null
  private beganAt = 0
  private waiting = false

  /** @param paced whether a stream is given with the pauses that it had */
  constructor(exchange: Exchange, tape: Tape, paced: boolean, listened: Listened | null) {
    this.exchange = exchange
    this.tape = tape
    this.paced = paced && tape.stream
    this.listened = listened
    this.wantsUsage = exchange.call!.includesUsage
  }

  /** Gives what there is to be given. What goes wrong with it ends this one request and no other. */
  pump(): void {
    if (this.over || !this.tape.begun) return
    try {
      if (this.blocked) this.hold()
      else this.play()
    } catch (error) {
      this.leave()
      refuse(this.exchange, error)
    }
  }

  private play(): void {
    const { tape } = this
    if (!this.begun && this.beginAll()) return
    let text = ''
    while (this.next < tape.length) {
      if (this.paced && this.waitsFor(this.next)) return this.flush(text)
      const part = tape.part(this.next)
      this.passed += part.length
      if (this.wantsUsage || !tape.isUsage(this.next)) text += part
      this.next++
      if (text.length < MOST_AT_ONCE || this.next === tape.length) continue
      this.flush(text)
      if (this.blocked) return
      text = ''
    }
    if (tape.done && this.body !== null) this.exchange.succeed()
    if (!tape.ended) this.flush(text)
    else if (tape.failure === null) this.finish(text)
    else this.breakOff(text)
  }

  /** From now on its client waits for what another request has begun: the gateway has nothing to do for it. */
  wait(): void {
    this.waiting = true
    this.exchange.beginWait()
  }

  /** It was waited for in vain: something else answers its client. */
  detach(): void {
    this.endWait()
    this.leave()
  }

  /** Lets a client go that takes too little. */
  drop(): void {
    const { exchange } = this
    exchange.fail('ERROR', 'stream_truncated', 'the client read too slowly for the others that shared its answer')
    this.leave()
    exchange.res.destroy()
  }

  resume(): void {
    if (!this.blocked || this.over) return
    this.blocked = false
    if (this.tape.ended) this.exchange.allowStall(true)
    this.pump()
    if (!this.blocked) this.listened?.flowing(this)
  }

  cancel(): void {
    this.leave()
  }

  cut(error: GatewayError): boolean {
    this.exchange.cutBy = error
    this.stop(cutStatus(error), error.code, error.message)
    return this.begun
  }

  abandon(): boolean {
    const { flight } = this.exchange
    const ended = flight !== null && flight.abandon()
    // Even if the flight's end has come to it: who takes nothing now would never hear of it.
    if (this.begun) this.stop('ERROR', 'shutting_down', 'The gateway is shutting down.')
    return ended || this.begun
  }

  /** Ends what has begun, at once. */
  private stop(status: RequestStatus, code: ErrorCode, message: string): void {
    if (this.over) return
    this.exchange.fail(status, code, message)
    // Before the end, at which its record may be written: who stays pays.
    this.leave()
    if (this.begun) this.endWith(this.tail?.rest() ?? '', code, message)
  }

  /** @returns whether that was all */
  private beginAll(): boolean {
    const { exchange, tape } = this
    this.begun = true
    this.endWait()
    exchange.call!.release()
    this.beganAt = performance.now()
    if (tape.stream) this.contentBegins()
    if (!tape.stream && tape.ended && tape.failure === null) {
      this.giveWhole(tape.part(0))
      return true
    }
    const headers = gatewayHeaders(exchange)
    headers.push(...tape.headers)
    if (tape.stream) headers.push(...STREAM_HEADERS)
    exchange.res.writeHead(tape.status, headers)
    if (!tape.stream) return false
    this.body = new ChunkedBody(exchange.res)
    if (includesMetadata(exchange)) this.tail = new MetadataTail(exchange)
    return false
  }

  private contentBegins(): void {
    const { exchange } = this
    const { live } = exchange.gateway
    exchange.firstTokenAt = this.beganAt
    if (live.wanted) live.firstToken(exchange)
  }

  private giveWhole(body: string): void {
    const { exchange, tape } = this
    const text = includesMetadata(exchange) ? withMetadata(body, exchange) : body
    const headers = gatewayHeaders(exchange)
    headers.push(...tape.headers)
    const cost = costOf(exchange)
    if (cost !== null) headers.push('x-millrace-cost-usd', cost)
    headers.push('content-length', String(text.length))
    exchange.res.writeHead(tape.status, headers)
    this.leave()
    exchange.end(text, 'latin1')
  }

  private flush(text: string): void {
    const { body, tail } = this
    const told = tail === null ? text : tail.take(text)
    if (told === '') return
    const flowing = body === null ? this.exchange.res.write(told, 'latin1') : body.write(told)
    this.blocked = !flowing
    if (this.blocked) this.hold()
  }

  /** Its client takes no more for now. Nothing but itself would end it once the provider has said all. */
  private hold(): void {
    if (this.tape.ended) this.exchange.allowStall(false)
  }

  private finish(text: string): void {
    const { exchange, body, tail } = this
    const rest = tail === null ? text : tail.take(text) + tail.rest()
    this.leave()
    exchange.end(body === null ? rest : body.last(rest), 'latin1')
  }

  private breakOff(text: string): void {
    const { exchange, tape } = this
    const { status, code } = brokenOff(tape.failure!.errorClass, null)
    const told = clientMessage(tape.failure!)
    exchange.fail(status, code, told)
    const rest = this.tail === null ? text : this.tail.take(text)
    this.leave()
    this.endWith(rest + (this.tail?.rest() ?? ''), code, told)
  }

  /** Of half a body that is no stream, only the connection's end can still say that it is not whole. */
  private endWith(rest: string, code: ErrorCode, message: string): void {
    const { exchange, body } = this
    if (body === null) exchange.res.destroy()
    else exchange.end(body.last(rest + errorEvent(exchange, code, message, this.sequence)), 'latin1')
  }

  /** The number of the event that would come next; the flight's are those of the tape's end. */
  private get sequence(): number {
    const { exchange, tape, next } = this
    const told = next < tape.length ? exchange.errors.sequenceOf?.(tape.part(next)) : null
    return told ?? exchange.flight?.sequence ?? 0
  }

  /** Whether a part is not due yet; then it goes on when it is. */
  private waitsFor(index: number): boolean {
    const restMs = this.beganAt + this.tape.at(index) - performance.now()
    if (restMs < 1) return false
    this.timer ??= setTimeout(goOn, restMs, this)
    return true
  }

  /** @internal */
  due(): void {
    this.timer = null
    this.pump()
  }

  private endWait(): void {
    if (this.waiting) this.exchange.endWait()
    this.waiting = false
  }

  private leave(): void {
    if (this.over) return
    this.over = true
    if (this.timer !== null) clearTimeout(this.timer)
    this.listened?.left(this)
  }
}

function goOn(playback: Playback): void {
  playback.due()
}
