/** What a provider answers, whole or as it comes, as every API can say it. Must never know any API. */
import type { TokenUsage } from '@millrace/shared'

import type { Citation, Part, Signature } from './content.ts'

export type CanonicalAnswer = ChatAnswer | EmbeddingAnswer | TokenCount

/** Why an answer ends. `unknown` carries the provider's own word in {@link Finish.own}. */
export type FinishReason =
  | 'stop'
  | 'stop_sequence'
  | 'length'
  /** The context window is full: Anthropic's `model_context_window_exceeded`. */
  | 'context_length'
  | 'tool_calls'
  | 'content_filter'
  | 'refusal'
  /** Anthropic's `pause_turn`: to be sent back as it is, and gone on with. */
  | 'pause'
  | 'error'
  | 'unknown'

export interface Finish {
  readonly reason: FinishReason
  /** As the provider says it; null: it does not. */
  readonly own: string | null
  /** Which of the client's it was, of `stop_sequence`. */
  readonly stopSequence: string | null
}

export interface ChatAnswer {
  readonly kind: 'chat'
  /** The provider's; empty: it gives none. */
  readonly id: string
  /** Seconds since 1970; null: it doesn't say. */
  readonly created: number | null
  readonly choices: readonly Choice[]
  /** Null: it doesn't say. */
  readonly usage: TokenUsage | null
  readonly serviceTier: string | null
  readonly systemFingerprint: string | null
}

export interface Choice {
  readonly index: number
  /** Text, reasoning, tool calls, refusals, images, recordings, in their order. */
  readonly content: readonly Part[]
  readonly finish: Finish
  readonly logprobs: readonly TokenLogprob[] | null
}

/** As OpenAI has it. */
export interface TokenLogprob {
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[] | null
  readonly top: readonly Omit<TokenLogprob, 'top'>[]
}

/**
 * One step of a streamed answer. They come in this order: `start` once, then of each block what it is made of, then `finish`
 * of each choice, then `usage` at most once (a later one replaces an earlier), then `done`, or `error` in place of what is
 * still to come. A block is one part of the message: its number goes up by one where a new one begins, in each choice.
 */
export type StreamPart =
  | {
      readonly type: 'start'
      readonly id: string
      readonly created: number | null
      /** What is known of it at the beginning: Anthropic tells the input's. */
      readonly usage: TokenUsage | null
      readonly serviceTier: string | null
      readonly systemFingerprint: string | null
    }
  | Delta<'text', { readonly text: string; readonly logprobs?: readonly TokenLogprob[] }>
  | Delta<'citation', { readonly citation: Citation }>
  /** @property summary whether the text sums up what was thought */
  | Delta<'reasoning', { readonly text: string; readonly summary?: boolean }>
  /** Of the reasoning, or the tool call, of the same block. */
  | Delta<'signature', { readonly signature: Signature }>
  | Delta<'redacted', { readonly data: string; readonly origin: Signature['origin'] }>
  | Delta<'refusal', { readonly text: string }>
  /** A tool call begins; its arguments follow in pieces, if it has any. */
  | Delta<'tool_call', { readonly id: string; readonly name: string; readonly kind?: 'function' | 'custom' }>
  | Delta<'arguments', { readonly text: string }>
  /** What comes whole: images, recordings, what only one API can say. */
  | Delta<'part', { readonly part: Part }>
  | { readonly type: 'finish'; readonly choice: number; readonly finish: Finish }
  | { readonly type: 'usage'; readonly usage: TokenUsage }
  | { readonly type: 'error'; readonly error: ProviderError }
  /** The API's own sign that the answer is whole. */
  | { readonly type: 'done' }

type Delta<T extends string, More> = { readonly type: T; readonly choice: number; readonly block: number } & More

export interface EmbeddingAnswer {
  readonly kind: 'embeddings'
  /** In the order of the input. */
  readonly vectors: readonly (readonly number[])[]
  readonly usage: TokenUsage | null
}

/** What a request would use, were it made. */
export interface TokenCount {
  readonly kind: 'count'
  readonly inputTokens: number
}

/** An error as a provider tells it. */
export interface ProviderError {
  readonly message: string
  /** In the provider's own words: OpenAI's `type`, Gemini's `status`, an AWS exception's name. */
  readonly type: string | null
  readonly code: string | null
  readonly param: string | null
  /** What the answer's status should have been, where it misleads: Gemini says 400 of a key that it does not know. */
  readonly status?: number
  /** How long it asks to be left alone, where no header says so. Milliseconds. */
  readonly retryAfterMs?: number
}
