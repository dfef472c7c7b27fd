import type { TokenUsage } from '@millrace/shared'

/** An error that a provider sent inside an answer that began as a success. */
export interface InBandError {
  readonly message: string
  readonly type: string | null
  readonly code: string | null
}

/**
 * What is learnt of a streamed answer while it passes. One class a client dialect implements it;
 * it alone knows the dialect's events.
 */
export interface StreamObserver {
  /** Whether anything has come that a client would show: the answer can no longer come from another route. */
  readonly hasContent: boolean
  /** Whether the event that ends a whole answer has come. */
  readonly ended: boolean
  readonly error: InBandError | null
  /** As the provider said; null until then. */
  readonly usage: TokenUsage | null
  /** Events with content so far: about one a token, where the provider never says. */
  readonly contentEvents: number
  /** Whether the event taken last tells of usage and nothing else: a client gets it only if it asked for usage. */
  readonly onlyUsage: boolean
  /**
   * Takes one event, from `start` to `end` of `text`.
   * @returns what the client gets in its place: itself, rewritten, or nothing
   */
  take(text: string, start: number, end: number): string
}
