/** How canonical answers and errors are said to clients. Each API that clients speak implements these. */
import type { TokenUsage } from '@millrace/shared'

import type { CanonicalAnswer, StreamPart } from './answer.ts'
import type { CanonicalRequest } from './request.ts'

/** What an answer is said with, beside what the provider gave. */
export interface Saying {
  /** The model as the client named it. */
  readonly model: string
  /** What is unique in it makes the ids that the provider didn't give: a UUID. */
  readonly id: string
  /** Seconds since 1970: when the request came. */
  readonly created: number
  readonly request: CanonicalRequest
  /** Whether a stream tells its usage. */
  readonly usageWanted: boolean
}

/** What a stream is said with for as long as it goes on: its request may be large. */
export type StreamSaying = Omit<Saying, 'request'>

export function withoutRequest({ model, id, created, usageWanted }: Saying): StreamSaying {
  return { model, id, created, usageWanted }
}

export interface AnswerWriter {
  /** @returns JSON, as any JavaScript string */
  answer(answer: CanonicalAnswer, saying: Saying): string
  /** Of the request it keeps what it needs, and no more than until the stream begins. */
  stream(saying: Saying): StreamWriter
}

/** Says a streamed answer. All it returns are whole server-sent events, none or several, as any JavaScript string. */
export interface StreamWriter {
  /** The number that its next event has in it; 0 where its API numbers none. */
  readonly sequence: number
  /** Any part but `usage` and `error`. */
  take(part: StreamPart): string
  /** @returns the event that only tells usage; nothing where it is told with another, later, or isn't wanted */
  usage(usage: TokenUsage): string
}

/** An error for a client: the gateway's own, or a provider's in other words. */
export interface ToldError {
  readonly status: number
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string | null
  /** The provider's own type: told beside, where it is another. */
  readonly providerType?: string | null
}

export interface ErrorForm {
  /** The header in which clients of this API look for the request's id, beside `x-request-id`; null: in no other. */
  readonly requestIdHeader: string | null
  /** The body of an error answer: JSON, as any JavaScript string. */
  body(error: ToldError, requestId: string): string
  /**
   * The event that tells that a stream has failed; nothing follows it.
   * @param sequence as {@link StreamWriter.sequence} has it
   */
  event(error: ToldError, requestId: string, sequence: number): string
  /** The number that the first of some events has in it that has one; null: none has. Absent: the API numbers none. */
  sequenceOf?(events: string): number | null
}
