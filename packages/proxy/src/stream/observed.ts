import type { TokenUsage } from '@millrace/shared'

/** An error that a provider sent inside an answer that began as a success. */
export interface InBandError {
  readonly message: string
  readonly type: string | null
  readonly code: string | null
}

/** A whole, unstreamed answer as its client gets it. */
export interface ReadAnswer {
  /** Bytes as latin1. */
  readonly body: string
  /** Null where the provider did not say. */
  readonly usage: TokenUsage | null
  /** Characters of the answer's own content, to estimate usage by. */
  readonly contentLength: number
}

/**
 * What is learnt of a streamed answer while it passes, and what its client gets of it. It alone knows the events of the API.
 */
export interface StreamObserver {
  /** Whether anything has come that a client would show: the answer can no longer come from another route. */
  readonly hasContent: boolean
  /** Whether the event that ends a whole answer has come. */
  readonly ended: boolean
  readonly error: InBandError | null
  /** As the provider said, as far as it has: see {@link usageSoFar}; null until then. */
  readonly usage: TokenUsage | null
  /** Events with content so far: about one a token, where the provider never says. */
  readonly contentEvents: number
  /**
   * Where in what was taken last an event stands that only tells usage, which a client gets only if it asked for that: where
   * it begins; -1: there is none.
   */
  readonly usageStart: number
  readonly usageEnd: number
  /** The number that the stream's next event has in it; 0 where its API numbers none. */
  readonly sequence: number
  /**
   * Takes one event, from `start` to `end` of `text`.
   * @returns what the client gets in its place: itself, rewritten, others, or nothing
   */
  take(text: string, start: number, end: number): string
  /** The provider has said all: some APIs have no event for that. @returns what the client gets besides */
  close(): string
}

/**
 * What a stream has used that goes on, or was cut off. Of the output its provider has told no more than that it begins.
 * @param begun what was told with the beginning
 */
export function usageSoFar(begun: TokenUsage, contentEvents: number): TokenUsage {
  return { ...begun, outputTokens: Math.max(begun.outputTokens, contentEvents), source: 'ESTIMATED' }
}
