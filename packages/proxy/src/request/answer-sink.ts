/** Where an answer goes, and what may come in its way. Must never know providers, caches or sockets. */
import type { GatewayError } from '@millrace/shared'

import type { Attempt } from './attempt.ts'
import type { Failure } from './failure.ts'

/** Takes the answer that a flight comes to, and brings it to whoever waits for it. Text is bytes as latin1. */
export interface AnswerSink {
  /** Whether there is nobody left to answer, or nothing left to say. */
  readonly over: boolean
  /** Whether a stream's chunk that only tells usage is wanted, whether or not the lead's client has asked for it. */
  readonly keepsUsage: boolean
  /** The whole answer, not streamed. What was used is settled. */
  whole(attempt: Attempt, body: string): void
  /** The answer begins: it is a stream, or too large to be held until it is complete. */
  begin(attempt: Attempt, stream: boolean): void
  /** The first content comes next. */
  contentBegins(): void
  /** @returns false if no more is taken for now: the flight is resumed later */
  write(text: string): boolean
  /** As {@link write}: the chunk of a stream that only tells usage. */
  writeUsage(text: string): boolean
  /** A stream's terminal event has been written: whoever has it has all. What was used is settled. */
  done(): void
  /** The answer is complete. What was used is settled. @param text the last of it */
  end(text: string): void
  /** What has begun can't go on. */
  breakOff(failure: Failure): void
  /** A provider's refusal, which is the answer. */
  refuse(failed: Attempt): void
}

/** How an answer comes to one client, as the client's exchange sees it. */
export interface Delivery {
  /** The client takes more again. */
  resume(): void
  /** The client has gone. Called when the response has closed, whatever has become of it. */
  cancel(): void
  /** The request may not go on. @returns whether its client has been told so by this */
  cut(error: GatewayError): boolean
  /** The process ends. @returns whether the client is told so by this, now or in a moment */
  abandon(): boolean
}
