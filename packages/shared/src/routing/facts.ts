/** What routing may ask of a request. A caller makes costly answers only when they are asked for. */
export interface RequestFacts {
  /** The client's path: `/v1/chat/completions`. */
  readonly endpoint: string
  readonly stream: boolean
  /** The model that the client asked for. */
  readonly model: string
  readonly tokenId: string | null
  readonly tokenName: string | null
  readonly projectId: string | null
  readonly projectName: string | null
  readonly user: string | null
  readonly conversation: string | null
  /** `x-millrace-metadata`. */
  readonly metadata: Readonly<Record<string, unknown>> | null
  /** A header of the client's. @param name in lower case */
  header(name: string): string | null
  /** The body's `max_completion_tokens`, else its `max_tokens`. */
  maxTokens(): number | null
  hasTools(): boolean
  hasImages(): boolean
  estimatedInputTokens(): number
}

/** A condition, made ready to be asked of many requests. Pure, and never throws. */
export type Predicate = (facts: RequestFacts) => boolean
