/** What messages are made of, as every API can be read into it. Must never know any API. */

/** Where the bytes of an image, a file or a recording are. */
export type Source =
  | { readonly from: 'url'; readonly url: string }
  /** @property data base64, without line ends */
  | { readonly from: 'data'; readonly mediaType: string; readonly data: string }
  /** One that was uploaded to the provider. */
  | { readonly from: 'file'; readonly id: string }

/** Up to here the provider may keep what it has read: Anthropic's `cache_control`, Bedrock's `cachePoint`. */
export interface CacheMark {
  /** As Anthropic names it, `5m` or `1h`; null: the provider's own. */
  readonly ttl: string | null
}

interface Marked {
  readonly cache?: CacheMark
}

export interface TextPart extends Marked {
  readonly type: 'text'
  readonly text: string
  /** What the text rests on. Of answers, and of what is sent back of them. */
  readonly citations?: readonly Citation[]
}

/** A place that a text rests on. Indices count characters of the text that it stands in. */
export interface Citation {
  readonly url: string | null
  readonly title: string | null
  /** What is cited, as far as the provider says. */
  readonly quote: string | null
  readonly start: number | null
  readonly end: number | null
  /** As its API has it, for who speaks the same. */
  readonly own: Own
}

export interface ImagePart extends Marked {
  readonly type: 'image'
  readonly source: Source
  /** OpenAI's `detail`. */
  readonly detail?: string
}

export interface FilePart extends Marked {
  readonly type: 'file'
  readonly source: Source | { readonly from: 'text'; readonly text: string }
  readonly filename?: string
  /** Whether the answer is to cite it. */
  readonly citations?: boolean
}

export interface AudioPart extends Marked {
  readonly type: 'audio'
  /** base64 */
  readonly data: string
  /** As OpenAI names it: `wav`, `mp3`, … */
  readonly format: string
  /** Of an answer's recording: what it says, and its name at the provider. */
  readonly transcript?: string
  readonly id?: string
}

/** What the model thinks before it answers. */
export interface ReasoningPart {
  readonly type: 'reasoning'
  /** Empty where only {@link signature} or {@link redacted} says anything. */
  readonly text: string
  /** By which its provider knows it again, see signature.ts; null: it has none. */
  readonly signature: Signature | null
  /** Whether the text is a summary of what was thought. */
  readonly summary?: boolean
  /** What was thought, unreadable to all but its provider: Anthropic's `redacted_thinking`. */
  readonly redacted?: string
}

export interface Signature {
  /** The API that gave it: no other understands it. */
  readonly origin: Origin
  readonly value: string
}

/** An API that signs, or has blocks of its own. */
export type Origin = 'chat' | 'messages' | 'responses' | 'gemini' | 'converse'

export interface ToolCallPart extends Marked {
  readonly type: 'tool_call'
  readonly id: string
  readonly name: string
  /** JSON as the model wrote it, which may be broken; of a custom tool any text. Empty: it has none. */
  readonly arguments: string
  /** OpenAI's `custom` tools take any text. Absent: `function`. */
  readonly kind?: 'function' | 'custom'
  /** Gemini signs calls. */
  readonly signature?: Signature
}

export interface ToolResultPart extends Marked {
  readonly type: 'tool_result'
  readonly id: string
  /** Where the API says it, or an earlier message does. */
  readonly name?: string
  readonly content: readonly (TextPart | ImagePart | FilePart)[]
  readonly isError?: boolean
  readonly kind?: 'function' | 'custom'
}

/** Why the model would not answer, as OpenAI tells it apart from text. */
export interface RefusalPart {
  readonly type: 'refusal'
  readonly text: string
}

/** What only one API can say: kept for the way back to the same, and dropped on the way to others. */
export interface OwnPart {
  readonly type: 'own'
  readonly own: Own
}

export interface Own {
  readonly origin: Origin
  readonly value: unknown
}

export type Part =
  | TextPart
  | ImagePart
  | FilePart
  | AudioPart
  | ReasoningPart
  | ToolCallPart
  | ToolResultPart
  | RefusalPart
  | OwnPart
