/** One route tried for one request: sends it, and hands the answer to the relay that its form asks for. */
import { costOf, GatewayError, NO_USAGE, type AttemptErrorClass, type TokenUsage } from '@millrace/shared'

import type { Call } from '../endpoints/endpoint.ts'
import type { Target } from '../providers/provider.ts'
import { modelFor, priceOf } from '../routing/price.ts'
import type { CompiledRoute, Credential } from '../snapshot/compiled.ts'
import type { TraceContext } from '../tracing/trace-context.ts'
import { Asked } from '../translation/asked.ts'
import type { Translation } from '../translation/translation.ts'
import { UpstreamCall, type Receiver, type UpstreamHeaders } from '../upstream/call.ts'
import { retryAfterOf } from '../upstream/retry-after.ts'
import { isStream } from '../upstream/upstream.ts'
import type { Errand } from './errand.ts'
import type { Exchange } from './exchange.ts'
import { isRetryable, redact, redactRefusal, type Failure, type Refusal } from './failure.ts'
import type { Flight } from './flight.ts'
import { Lesson } from './lesson.ts'
import type { Race, Step } from './race.ts'
import type { Relay } from './relay.ts'

/** Characters of what a failure says. */
const LONGEST_MESSAGE = 500

export class Attempt implements Receiver {
  readonly startedAt = Date.now()
  /** When the request was sent, as `performance.now()`. */
  began = performance.now()
  /** When all was over, as `performance.now()`. */
  endedAt = 0
  /** The provider's own name of the model. */
  readonly model: string
  readonly target: Target
  readonly flight: Flight
  /** Whose request it is sent as. */
  readonly exchange: Exchange
  readonly call: Call
  readonly route: CompiledRoute
  /** Null where the provider is asked without one. */
  readonly credential: Credential | null
  /** Whether it was made because another was slow. */
  readonly hedged: boolean
  /** When the first content came, as `performance.now()`. */
  firstTokenAt: number | null = null
  upstreamStatus: number | null = null
  upstreamHeaders: UpstreamHeaders = {}
  /** Those of them that tell of the answer as its client gets it. */
  answerHeaders: UpstreamHeaders = {}
  /** The upstream's status, or what it should have been; see ProviderError. */
  meantStatus: number | null = null
  /** How long the upstream asks to be left alone, where only its body says so; see ProviderError. */
  toldRetryAfterMs: number | null = null
  /** How it is put to the provider; null: as it came. */
  readonly translation: Translation | null
  readonly asked: Asked
  failure: Failure | null = null
  /** What was thrown by a fault of our own. */
  fault: unknown = null
  /** Its span's place in the trace; null: it has none. */
  trace: TraceContext | null = null
  private readonly errand: Errand
  private readonly race: Race
  private readonly upstreamCall: UpstreamCall
  private readonly lesson: Lesson
  private relay: Relay | null = null
  private running = true
  private waitCounted = false
  /** Whether there was a connection for it: from then on the provider may have seen of it. */
  sent = false

  constructor(flight: Flight, errand: Errand, step: Step, race: Race, hedged: boolean) {
    const { lead, call, found } = flight
    const { route, credential } = step
    this.flight = flight
    this.exchange = lead
    this.call = call
    this.route = route
    this.credential = credential
    this.errand = errand
    this.race = race
    this.hedged = hedged
    this.model = modelFor(route, found)
    this.asked = new Asked(call, this.model, lead)
    // A route without a connection is not enabled.
    this.translation = errand.translationAt(route.connection!, this.model)
    this.target = errand.targetAt(route.connection!, this.model, this.translation, call.stream)
    this.upstreamCall = new UpstreamCall(this, route.timeouts, lead.gateway.deadlines, call.stream)
    this.lesson = new Lesson(route, credential, call.stream)
  }

  get contentType(): string | null {
    const type = this.upstreamHeaders['content-type']
    return typeof type === 'string' ? type : null
  }

  get isRunning(): boolean {
    return this.running
  }

  get latencyMs(): number {
    return this.endedAt - this.began
  }

  /** @param heldPlace whether a place at the provider was taken for it already */
  send(heldPlace: boolean): void {
    this.exchange.beginWait()
    this.began = performance.now()
    this.lesson.begin(this.began, heldPlace)
    try {
      const { errand, target } = this
      const headers = this.credential === null ? [] : [...this.credential.headers]
      errand.addHeaders(headers, this)
      const { trace } = this.exchange
      if (trace !== null) this.trace = trace.ask(headers)
      const body = errand.bodyOf(this)
      const { upstream, sign } = this.route.connection!
      const request = { path: target.path, method: errand.method, headers, body }
      if (sign && this.credential && !isStream(body)) sign(this.credential.apiKey, { ...request, body })
      this.upstreamCall.send(this.translation?.upstream ?? upstream, request)
    } catch (error) {
      if (error instanceof GatewayError) this.failUnsent(error)
      else this.crashed(error)
    }
  }

  sending(): void {
    this.sent = this.flight.counted = true
  }

  begin(status: number, headers: UpstreamHeaders): void {
    this.upstreamStatus = status
    this.upstreamHeaders = headers
    this.answerHeaders = headers
    this.meantStatus = status
    this.relay = this.errand.relayOf(this)
  }

  data(chunk: Buffer): void {
    this.relay?.data(chunk)
  }

  end(): void {
    this.relay?.end()
  }

  broken(errorClass: AttemptErrorClass, message: string): void {
    if (this.errand.awaitsClient === true) this.lesson.awaitedClient()
    if (this.relay) this.relay.broken(errorClass, message)
    else this.fail(errorClass, message)
  }

  crashed(error: unknown): void {
    this.fault = error
    this.finish()
  }

  /** The client takes no more for now. */
  pause(): void {
    this.upstreamCall.pause()
  }

  /** The client takes more again. */
  resume(): void {
    if (this.running) this.upstreamCall.resume()
  }

  /**
   * Nobody waits for it any more: the upstream is let go at once. Nothing happens if the attempt has ended.
   * @param accountable whether what was used so far is this attempt's to say
   */
  cancel(accountable: boolean): void {
    if (!this.running) return
    if (accountable) {
      this.settleUnlessKnown()
      this.relay?.cancel()
    }
    if (this.running) this.fail('client_cancelled', 'the client went')
  }

  /**
   * Its request may not go on. Nothing happens if the attempt has ended.
   * @param accountable whether what was used so far is this attempt's to say
   */
  cut(reason: string, accountable: boolean): void {
    if (!this.running) return
    if (accountable) this.settleUnlessKnown()
    this.broken('admin_cancelled', reason)
  }

  /** Another attempt has answered the client first. */
  lose(): void {
    if (this.running) this.fail('hedge_lost', 'another route answered first')
  }

  /** The process ends before the answer did. @returns false if the attempt has already ended */
  abandon(): boolean {
    if (!this.running) return false
    this.broken('shutting_down', 'the gateway is shutting down')
    return true
  }

  /** From now on the client is being answered, by this attempt and no other. */
  claim(): void {
    this.race.claim(this)
    this.lesson.claimed()
    this.countWait()
  }

  contentSeen(): void {
    this.firstTokenAt = performance.now()
    this.upstreamCall.contentSeen()
    this.lesson.firstToken(this.firstTokenAt)
    this.flight.sink.contentBegins()
  }

  /** The whole answer is there, and what it used is settled. */
  succeed(): void {
    this.finish()
  }

  /** @param refusal the upstream's own answer, where there is one */
  fail(errorClass: AttemptErrorClass, message: string, refusal: Refusal | null = null): void {
    if (!this.running) return
    const status = this.meantStatus
    this.failure = {
      errorClass,
      message: redact(message, this.credential?.apiKey).slice(0, LONGEST_MESSAGE),
      retryAfterMs: retryAfterOf(this.upstreamHeaders, status ?? 0) ?? this.toldRetryAfterMs,
      refusal: refusal && redactRefusal(refusal, this.credential?.apiKey),
      retryable: isRetryable(errorClass, status),
      unsent: null,
      lost: errorClass === 'hedge_lost',
    }
    this.finish()
  }

  /** The provider can't be asked for it; another may. */
  private failUnsent(error: GatewayError): void {
    this.failure = {
      errorClass: error.code === 'unsupported_endpoint' ? 'unsupported_endpoint' : 'param_not_allowed',
      message: error.message.slice(0, LONGEST_MESSAGE),
      retryAfterMs: null,
      refusal: null,
      retryable: true,
      unsent: error,
      lost: false,
    }
    this.finish()
  }

  /** What was used so far, as the provider said if it did. */
  usageSoFar(): TokenUsage {
    if (!this.sent || !this.errand.usesTokens) return NO_USAGE
    const { relay } = this
    return relay?.usage ?? this.estimated(relay?.outputTokens ?? 0)
  }

  /** USD, a decimal; null where no price is known. */
  costOf(usage: TokenUsage): string | null {
    // What goes by a client's own key is on the client's own bill.
    const price = this.credential?.source === 'REQUEST' ? null : priceOf(this.route, this.model)
    return price && costOf(usage, price)
  }

  /** What was used, as the provider said if it did, and what that costs. */
  settleUsage(usage: TokenUsage | null, estimatedOutputTokens: number): void {
    const { flight } = this
    if (usage === null && (!this.sent || !this.errand.usesTokens)) return
    flight.usage = usage ?? this.estimated(estimatedOutputTokens)
    flight.costUsd = this.costOf(flight.usage)
  }

  private estimated(outputTokens: number): TokenUsage {
    return { ...NO_USAGE, inputTokens: this.call.inputTokens, outputTokens, source: 'ESTIMATED' }
  }

  /** The provider has the request, and may have gone to work on it. */
  private settleUnlessKnown(): void {
    const refused = this.upstreamStatus !== null && this.upstreamStatus >= 300
    if (!refused && this.errand.usesTokens && this.flight.usage.source === 'NONE') this.settleUsage(null, 0)
  }

  private countWait(): void {
    if (this.waitCounted) return
    this.waitCounted = true
    this.exchange.endWait()
  }

  private finish(): void {
    if (!this.running) return
    this.running = false
    this.countWait()
    this.endedAt = performance.now()
    this.upstreamCall.abort()
    this.asked.forget()
    if (this.fault === null && this.translation?.upstream == null) this.lesson.end(this.failure, this.endedAt)
    else this.lesson.skip(this.endedAt)
    this.race.ended(this)
  }
}
