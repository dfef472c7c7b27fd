/**
 * One answer that providers are asked for: the attempts, why they went where they went, and what it came to. It serves one
 * request, or several that are the same; who they are is its sink's business.
 */
import { NO_USAGE, type TokenUsage } from '@millrace/shared'

import type { Waiter } from '../concurrency/waiting-room.ts'
import type { Call } from '../endpoints/endpoint.ts'
import type { ProviderHealth } from '../health/provider-health.ts'
import type { DecisionDraft } from '../routing/decision-draft.ts'
import type { Found } from '../routing/found.ts'
import type { AnswerSink } from './answer-sink.ts'
import type { Attempt } from './attempt.ts'
import type { Exchange } from './exchange.ts'
import { Pause } from './pause.ts'

export class Flight {
  /** Whose request the providers are asked with. Its client may have gone, if others wait for the same. */
  readonly lead: Exchange
  readonly call: Call
  readonly found: Found
  readonly sink: AnswerSink
  readonly attempts: Attempt[] = []
  decision: DecisionDraft | null = null
  /** The attempt whose answer it is, once there is one. */
  answering: Attempt | null = null
  /** Where there is none: the attempt whose failure the gateway's own answer tells of. */
  blamed: Attempt | null = null
  /** Whether anything was sent to a provider. */
  counted = false
  usage: TokenUsage = NO_USAGE
  /** USD, a decimal; null where it is not known. */
  costUsd: string | null = null
  /** The number that an event which tells of its failure has in it; see StreamObserver. */
  sequence = 0
  private pause: Pause | null = null
  private waiter: Waiter | null = null

  constructor(lead: Exchange, call: Call, found: Found, sink: AnswerSink) {
    this.lead = lead
    this.call = call
    this.found = found
    this.sink = sink
  }

  /** The attempt that the answer is of, or tells of; until then, the last. */
  get attempt(): Attempt | undefined {
    return this.answering ?? this.blamed ?? this.attempts.at(-1)
  }

  get over(): boolean {
    return this.sink.over
  }

  /** Lets time pass; ends early if nobody waits any more. */
  async sleep(milliseconds: number): Promise<void> {
    if (milliseconds <= 0 || this.over) return
    this.pause = new Pause(milliseconds)
    await this.lead.until(this.pause.over)
    this.pause = null
  }

  /** Waits for a place at a provider; gives up if nobody waits any more. */
  async waitFor(waiter: Waiter): Promise<ProviderHealth | null> {
    this.waiter = waiter
    const provider = await this.lead.until(waiter.turn)
    this.waiter = null
    return provider
  }

  /** More of the answer is taken again. */
  resume(): void {
    this.answering?.resume()
  }

  /** Nobody waits any more. Nothing happens if all is over. */
  cancel(): void {
    this.stopWaiting()
    const accountable = this.accountable
    for (const attempt of this.attempts) attempt.cancel(attempt === accountable)
  }

  /** It may not go on. */
  cut(reason: string): void {
    this.stopWaiting()
    const accountable = this.accountable
    for (const attempt of this.attempts) attempt.cut(reason, attempt === accountable)
  }

  /** The process ends. @returns whether there was anything to end */
  abandon(): boolean {
    let any = false
    for (const attempt of this.attempts) any = attempt.abandon() || any
    return any
  }

  private stopWaiting(): void {
    this.pause?.end()
    this.waiter?.giveUp()
  }

  /** The attempt that has to say what was used, should it end now. */
  private get accountable(): Attempt | undefined {
    return this.answering ?? this.attempts.find(({ isRunning }) => isRunning)
  }
}
