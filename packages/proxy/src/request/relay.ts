import type { AttemptErrorClass, TokenUsage } from '@millrace/shared'

/** Brings what an upstream answers to the client, or finds that it can't. One class a form of answer. */
export interface Relay {
  /** What was used so far, as the provider has said; null or absent: it has not. */
  readonly usage?: TokenUsage | null
  /** Tokens of the answer so far, estimated; absent: none. */
  readonly outputTokens?: number
  data(chunk: Buffer): void
  /** The upstream's answer is complete. */
  end(): void
  /** It broke off. */
  broken(errorClass: AttemptErrorClass, message: string): void
  /** The client went. */
  cancel(): void
}
