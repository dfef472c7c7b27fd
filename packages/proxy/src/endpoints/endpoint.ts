/**
 * What the hot path needs to know of an endpoint that is relayed to a provider. One file an endpoint makes one.
 * Must never know providers, HTTP or how answers are sent.
 */
import type { StoredStream } from '../cache/answer.ts'
import type { CanonicalRequest } from '../canonical/request.ts'
import type { AnswerWriter, ErrorForm } from '../canonical/writer.ts'
import type { StreamedForm } from '../stream/forms.ts'
import type { InBandError, ReadAnswer, StreamObserver } from '../stream/observed.ts'

/** What routes' conditions may ask of a body. */
export interface Features {
  readonly maxTokens: number | null
  readonly tools: boolean
  readonly images: boolean
}

/** A client's request, read once. */
export interface Call {
  /** The model that the client asked for: an alias. */
  readonly model: string
  readonly stream: boolean
  /** Whether the client asked for a stream that ends with its usage. Where the API always tells it, true. */
  readonly includesUsage: boolean
  /** The body as latin1; empty after {@link release}. */
  readonly text: string
  /** Whether the provider is asked to keep something: then it is asked each time. */
  readonly keepsState: boolean
  /** Whether its body goes by unread: nothing that stands in it is known. */
  readonly unread?: boolean
  /** Characters of the body, to estimate usage by. */
  readonly bodyLength: number
  /** Tokens of the input, estimated; each image, file and recording in it as so many. Known only as {@link bodyLength} after {@link release}, unless asked for before. */
  readonly inputTokens: number
  /** Tokens that the answer may have, in all its choices, as the client limits them; null: it does not. */
  readonly maxOutputTokens: number | null
  /** Whom the body says that it is for: `user` or `safety_identifier`, of Messages `metadata.user_id`. */
  readonly user: string | null
  /** The body's own `prompt_cache_key` or `conversation`, of Messages the session in `metadata.user_id`. */
  readonly conversation: string | null
  /** Reads the body once more: for the few requests that are asked. */
  features(): Features
  /** The values of the body's own members of these names, in ASCII. A name may occur twice, with a value each. */
  members(names: ReadonlySet<string>): ReadonlyMap<string, readonly unknown[]>
  /**
   * Reads the body once more, for a provider that does not speak this API.
   * @throws GatewayError param_not_allowed for what makes no sense, unsupported_endpoint for what no other API can say; `param`
   * names it as OpenAI does: `messages[2].role`
   */
  canonical(): CanonicalRequest
  /**
   * The body for a provider of the same API, its model named so. All else stays as the client wrote it, but that a stream is
   * asked for its usage, and that what other providers thought is left out.
   * @param dropped gets the parameters that cannot be told without those thoughts
   */
  encode(providerModel: string, dropped?: string[]): Buffer
  /**
   * @param keepUsage whether the event that only tells usage stays also where the client did not ask for it
   * @param endsWithoutDone whether the provider leaves out the event that ends a stream of OpenAI's
   */
  observe(keepUsage?: boolean, endsWithoutDone?: boolean): StreamObserver
  /** See {@link ReadAnswer}; null if the text is not what the API promises. */
  read(text: string): ReadAnswer | InBandError | null
  /** The beginning of an answer that is too large to be held, with the client's model in it. */
  renameModel(text: string): string
  /**
   * Forgets the body: an answer has begun, no other attempt follows, and its stream may go on for long. (What was sent
   * stays with undici's request until that has ended.)
   */
  release(): void
  /**
   * It is likely to come again: then it is not read anew.
   * @returns whether that will be so. Then several requests may have it, and nothing of it is forgotten
   */
  remember(): boolean
}

/** What an endpoint is for: a provider that does not speak its API may be asked for the same in its own. */
export type Task = 'chat' | 'embeddings' | 'count'

export interface Endpoint {
  /** The path under which clients call it, which is also the `endpoint` of records. */
  readonly path: string
  readonly task: Task
  /** Whether what it asks for uses tokens that somebody pays for. */
  readonly usesTokens: boolean
  /** The outermost members of a body that change nothing of its answer, or only its form. */
  readonly unkeyed: ReadonlySet<string>
  /** How its clients are told of errors. */
  readonly errors: ErrorForm
  /** Says answers of other APIs in this one. */
  readonly writer: AnswerWriter
  /** How the event begins that ends a stream and is an object; absent: a stream ends with `[DONE]`. */
  readonly lastEvent?: RegExp
  /** @throws GatewayError for a body that cannot be sent on */
  parse(body: Buffer): Call
  /** Forgets the calls that are remembered. */
  forget(): void
  /**
   * A whole stream as the answer that would have come unstreamed.
   * @param events all its events, latin1
   * @returns its JSON text, latin1; null if that cannot be said faithfully
   */
  fold(events: string): string | null
  /**
   * An unstreamed answer as the stream that says the same.
   * @param answer its JSON text, latin1
   * @returns null if that cannot be said faithfully
   */
  unfold(answer: string): StreamedForm | null
  /**
   * Whether an answer has its reader call tools. Where that cannot be said, it does.
   * @param body its JSON text or all its events, latin1
   * @param stream null: it is unstreamed
   */
  callsTools(body: string, stream: StoredStream | null): boolean
  /** Whether an answer, though it came with success and to its end, says that it is an error. */
  reportsError(body: string): boolean
}
