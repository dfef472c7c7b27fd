import {
  DEBUG_CAPTURES_SUBSCRIPTION,
  GlobList,
  NO_DEBUG_CAPTURE,
  parseDebugCapture,
  type DebugCapture,
} from '@millrace/shared'
import type { Client, FormattedExecutionResult, Sink } from 'graphql-ws'
import type { Logger } from 'pino'

import type { ControlClient } from '../control/client.ts'
import type { Follows } from '../control/follows.ts'
import type { Exchange } from '../request/exchange.ts'
import { capture, type Wanted } from './capture.ts'
import { ExchangeSender } from './sender.ts'

interface Told {
  readonly debugCaptures: unknown
}

/** The exchanges that operators want to look at, as control says which. It ends by this process's own clock. */
export class DebugCaptures implements Follows, Sink<FormattedExecutionResult<Told>> {
  /** Asked before anything else: while there is no capture, requests pay for no more than this. */
  enabled = false
  private readonly sender: ExchangeSender
  private readonly log: Logger
  private wanted: Wanted = { maxBodyBytes: 0, retentionHours: 0, models: null }
  private tokens: ReadonlySet<string> | null = null
  private timer: NodeJS.Timeout | null = null

  constructor(control: Pick<ControlClient, 'send'>, log: Logger) {
    this.sender = new ExchangeSender(control, log)
    this.log = log
  }

  /** Exchanges that were to be captured and are lost, since the process started. */
  get dropped(): number {
    return this.sender.dropped
  }

  follow(client: Client): void {
    client.subscribe<Told>({ query: DEBUG_CAPTURES_SUBSCRIPTION }, this)
  }

  /** @internal control tells */
  next({ data }: FormattedExecutionResult<Told>): void {
    if (data) this.hear(data.debugCaptures)
  }

  /** @internal the connection is gone, and what was told stands */
  error(): void {
    this.log.debug('the subscription to debug captures has ended')
  }

  /** @internal */
  complete(): void {}

  /** The sender of a request is known: begins to keep what it sends and gets, if that is wanted. To its end, whatever is set then. */
  begin(exchange: Exchange): void {
    const { tokens } = this
    if (tokens === null || tokens.has(exchange.token!.id)) capture(exchange, this.wanted, this.sender)
  }

  /** Captures nothing more, sends what has ended, and what can't be sent within that time is lost. */
  async finish(withinMs: number): Promise<void> {
    this.take(NO_DEBUG_CAPTURE)
    await this.sender.finish(withinMs)
  }

  /** What can't be read captures nothing. */
  private hear(value: unknown): void {
    try {
      this.take(parseDebugCapture(value))
    } catch (error) {
      this.log.error(`nothing is captured: ${(error as Error).message}`)
      this.take(NO_DEBUG_CAPTURE)
    }
  }

  private take({ enabled, maxBodyBytes, retentionHours, remainingMs, tokens, models }: DebugCapture): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    if (enabled !== this.enabled)
      this.log.info({ maxBodyBytes }, enabled ? 'debug capture is on' : 'debug capture is off')
    this.enabled = enabled
    this.wanted = { maxBodyBytes, retentionHours, models: models && new GlobList(models) }
    this.tokens = tokens && new Set(tokens)
    this.sender.begin()
    if (enabled && remainingMs !== null) this.timer = setTimeout(() => this.take(NO_DEBUG_CAPTURE), remainingMs).unref()
  }
}
