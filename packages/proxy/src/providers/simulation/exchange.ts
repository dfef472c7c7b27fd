import type { GatewayError, SIMULATED_ERROR_KINDS, SimulatedSettings } from '@millrace/shared'
import type { Dispatcher } from 'undici'

import { AnswerEvents, wholeAnswer, type SimulatedRequest } from './answer.ts'

type Fault = (typeof SIMULATED_ERROR_KINDS)[number]

const JSON_TYPE = { 'content-type': 'application/json' }
const STREAM_TYPE = { 'content-type': 'text/event-stream; charset=utf-8' }

const REFUSALS: Partial<Record<Fault, readonly [number, string, string]>> = {
  bad_request: [400, 'invalid_request_error', 'simulated_bad_request'],
  unauthorized: [401, 'authentication_error', 'simulated_unauthorized'],
  rate_limited: [429, 'rate_limit_error', 'simulated_rate_limit'],
  server_error: [500, 'server_error', 'simulated_server_error'],
  unavailable: [503, 'server_error', 'simulated_unavailable'],
}

/** One simulated request and its answer; its own controller, so that it can be paused and aborted like a connection. */
export class SimulatedExchange implements Dispatcher.DispatchController {
  aborted = false
  paused = false
  reason: Error | null = null
  rawHeaders: null = null
  rawTrailers: null = null
  private timer: NodeJS.Timeout | null = null
  /** A step that fell due while paused. */
  private due = false
  private sent = 0
  private readonly events: AnswerEvents
  private readonly id: string
  private readonly request: SimulatedRequest
  private readonly tokens: readonly string[]
  private readonly settings: SimulatedSettings
  private readonly fault: Fault | null
  private readonly handler: Dispatcher.DispatchHandler

  constructor(
    id: string,
    request: SimulatedRequest,
    tokens: readonly string[],
    settings: SimulatedSettings,
    fault: Fault | null,
    handler: Dispatcher.DispatchHandler,
  ) {
    this.events = new AnswerEvents(id, request, tokens)
    this.id = id
    this.request = request
    this.tokens = tokens
    this.settings = settings
    this.fault = fault
    this.handler = handler
  }

  start(): void {
    this.handler.onRequestStart?.(this, undefined)
    if (this.aborted || this.fault === 'stall') return
    const { firstTokenMs, betweenTokensMs } = this.settings
    const wait =
      this.request.stream || this.fault ? firstTokenMs : firstTokenMs + betweenTokensMs * (this.tokens.length - 1)
    this.after(wait)
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    if (this.due) {
      this.due = false
      this.after(0)
    }
  }

  abort(reason: Error): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    if (this.timer) clearTimeout(this.timer)
    this.handler.onResponseError?.(this, reason)
  }

  private after(milliseconds: number): void {
    this.timer = setTimeout(() => this.step(), milliseconds)
  }

  private step(): void {
    if (this.aborted) return
    if (this.paused) this.due = true
    else if (this.fault && REFUSALS[this.fault]) this.refuse(REFUSALS[this.fault]!)
    else if (this.fault === 'disconnect') this.breakOff()
    else if (this.request.refusal) this.refuseAs(this.request.refusal)
    else if (this.request.stream) this.stream()
    else if (this.fault) this.breakOff()
    else this.whole()
  }

  private refuse([status, type, code]: readonly [number, string, string]): void {
    const error = { message: 'This failure is simulated.', type, param: null, code }
    this.answer(status, JSON.stringify({ error }))
  }

  private refuseAs({ message, type, param, code }: GatewayError): void {
    this.answer(400, JSON.stringify({ error: { message, type, param, code } }))
  }

  private whole(): void {
    this.answer(200, wholeAnswer(this.id, this.request, this.tokens))
  }

  private answer(status: number, body: string): void {
    this.handler.onResponseStart?.(this, status, JSON_TYPE)
    this.data(body)
    this.end()
  }

  private breakOff(): void {
    this.aborted = true
    this.handler.onResponseError?.(this, Object.assign(new Error('simulated disconnect'), { code: 'ECONNRESET' }))
  }

  /** Sends one token and comes back for the next; with no time between tokens, as many as the client takes. */
  private stream(): void {
    if (this.sent === 0) {
      this.handler.onResponseStart?.(this, 200, STREAM_TYPE)
      this.data(this.events.role())
    }
    do {
      const token = this.events.token()
      if (token === null) return this.endStream()
      this.data(token)
      this.sent++
      if (this.fault && this.sent >= this.tokens.length / 2) return this.endStream()
    } while (this.settings.betweenTokensMs === 0 && !this.paused && !this.aborted)
    if (this.aborted) return
    if (this.paused) this.due = true
    else this.after(this.settings.betweenTokensMs)
  }

  private endStream(): void {
    if (this.aborted) return
    if (this.fault === 'stream_error') {
      this.data(
        'data: {"error":{"message":"This failure is simulated.","type":"server_error","param":null,"code":"simulated_error"}}\n\n',
      )
    } else if (this.fault === null) {
      this.data(this.events.ending())
    }
    this.end()
  }

  private data(text: string): void {
    if (!this.aborted && text !== '') this.handler.onResponseData?.(this, Buffer.from(text))
  }

  private end(): void {
    if (this.aborted) return
    this.aborted = true
    this.handler.onResponseEnd?.(this, {})
  }
}
