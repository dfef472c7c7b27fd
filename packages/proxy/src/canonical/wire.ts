/** An API that providers speak, as canonical requests are put to it and its answers read. One a dialect implements it. */
import type { TokenUsage } from '@millrace/shared'

import type { CanonicalAnswer, ProviderError, StreamPart } from './answer.ts'
import type { CanonicalRequest } from './request.ts'

/** How a request was put in an API's words: what is needed to read its answer. */
export interface Encoding {
  /** What could not be said, in the client's words ({@link CanonicalRequest} `named`, `unknown`), each once. */
  readonly dropped: readonly string[]
  /**
   * The tool whose arguments are the answer's text: a JSON Schema is asked for so where the API has no other way. The answer
   * is turned back by who asked; readers give it as the call that it is. Null: none.
   */
  readonly answerTool: string | null
  /** What this wire's readers want to know of the request; null: nothing. */
  readonly memo: unknown
}

/** A request, put in an API's words. */
export interface Encoded extends Encoding {
  /** JSON, as any JavaScript string. */
  readonly body: string
}

export interface EncodeOptions {
  /** The provider's name of the model. */
  readonly model: string
  readonly stream: boolean
}

export interface Wire {
  /** Below the provider's base URL, with its query. */
  pathOf(model: string, stream: boolean): string
  /**
   * Must not change what it is given.
   * @throws GatewayError unsupported_endpoint for what cannot be said and must not be dropped, param_not_allowed for what is
   * wrong; `param` names it in the client's words
   */
  encode(request: CanonicalRequest, options: EncodeOptions): Encoded
  /**
   * Parses an answer; absent: as JSON.
   * @throws SyntaxError
   */
  readonly parse?: (text: string) => unknown
  /**
   * @param answer parsed
   * @param headers names in lower case
   * @returns null if it is not what the API promises
   */
  read(answer: unknown, encoding: Encoding, headers?: AnswerHeaders): CanonicalAnswer | ProviderErrorAnswer | null
  /** Of one stream. */
  reader(encoding: Encoding): StreamReader
  /**
   * Reads a refusal.
   * @param body parsed; where it isn't JSON, its text
   * @param headers names in lower case
   */
  readError(status: number, body: unknown, headers?: AnswerHeaders): ProviderError
}

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>

/** An error that came with a status of success. */
export interface ProviderErrorAnswer {
  readonly kind: 'error'
  readonly error: ProviderError
}

/** Reads the events of one stream. Holds no more of them than it must to read the next. */
export interface StreamReader {
  /**
   * @param data of one event, as UTF-16; what is no JSON, or unknown, says nothing
   * @param name of the event; empty: it has none
   */
  take(data: string, name: string): readonly StreamPart[]
  /** What was used by now, of a provider that says so again and again before its last word. */
  readonly usageSoFar?: TokenUsage | null
  /** The provider has said all. Without its sign that the answer is whole, no `done`. */
  close(): readonly StreamPart[]
}
