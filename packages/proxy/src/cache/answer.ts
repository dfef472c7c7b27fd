/** An answer that can be given again: plain data, as it stands in memory and, packed, in Redis. Must never know HTTP. */
import type { PurgeScope, TokenUsage } from '@millrace/shared'

/** Text is bytes as latin1. */
export interface StoredAnswer {
  /** 2xx. */
  readonly status: number
  /** The provider's own that a client sees, names and values in turn; those of framing and of the gateway are made anew. */
  readonly headers: readonly string[]
  /** As the client got it, who asked for it by {@link model}: a JSON text, or all events of a stream. One flat string. */
  readonly body: string
  /** Null: it is no stream. */
  readonly stream: StoredStream | null
  /** What it cost the provider, and whoever paid for it. */
  readonly usage: TokenUsage
  readonly providerId: string
  readonly providerName: string
  readonly providerModel: string
  /** Whose it is: a purge asks for it. */
  readonly projectId: string
  /** As clients ask for it. */
  readonly model: string
  /** When it was complete, in milliseconds since 1970. */
  readonly storedAt: number
  readonly expiresAt: number
  /** A strong validator, with its quotes (RFC 9110, section 8.8.3). */
  readonly etag: string
}

/** Where an answer came from, and what it used. */
export type AnswerOrigin = Pick<StoredAnswer, 'usage' | 'providerId' | 'providerName' | 'providerModel'>

/** The parts in which a stream came; each is one event or more, whole. */
export interface StoredStream {
  /** Where each part ends in the body; the last at its end. */
  readonly ends: readonly number[]
  /** When each came, in milliseconds after the first. */
  readonly at: readonly number[]
  /** Which part is the chunk that only tells usage, for those who asked for it; -1: none is. It is a part by itself. */
  readonly usagePart: number
}

/** Whether a purge means what is of this project and model. */
export function isPurged(
  scope: PurgeScope,
  { projectId, model }: { readonly projectId: string; readonly model: string | null },
): boolean {
  return (scope.projectId === null || scope.projectId === projectId) && (scope.model === null || scope.model === model)
}
