/** What a client asks for, as every API can be told. Must never know any API. */
import type { CacheMark, Own, Part, TextPart } from './content.ts'

export type CanonicalRequest = ChatRequest | EmbeddingRequest

/**
 * One turn of a conversation. The results of tools are parts of `user` messages, as in Anthropic's and Gemini's APIs; a reader
 * joins neighbours of one role, so that roles alternate but for `system` and `developer` in the middle.
 */
export interface Message {
  readonly role: 'system' | 'developer' | 'user' | 'assistant'
  readonly content: readonly Part[]
  /** OpenAI's `name` of who speaks. */
  readonly name?: string
}

export interface ChatRequest {
  readonly kind: 'chat'
  /** What stands before the conversation, of system and developer alike. */
  readonly system: readonly TextPart[]
  readonly messages: readonly Message[]
  readonly tools: readonly Tool[]
  /** Null: the API's default. */
  readonly toolChoice: ToolChoice | null
  readonly parallelToolCalls: boolean | null
  readonly format: ResponseFormat | null
  readonly reasoning: Reasoning | null
  readonly params: Params
  readonly stream: boolean
  /** The client's own words for {@link Params} and other fields, for errors and `x-millrace-dropped-params`. */
  readonly named: ParamNames
  /** Outermost members of the body that are not read: no other API can say them. */
  readonly unknown: readonly string[]
  /** What answers in the client's own API repeat of its request, as it came. */
  readonly echo?: Readonly<Record<string, unknown>>
}

/** Numbers and words that mean the same in most APIs. Null: the client doesn't say. */
export interface Params {
  readonly maxTokens: number | null
  readonly temperature: number | null
  readonly topP: number | null
  readonly topK: number | null
  readonly stop: readonly string[] | null
  readonly seed: number | null
  /** How many answers. */
  readonly choices: number | null
  readonly frequencyPenalty: number | null
  readonly presencePenalty: number | null
  readonly logitBias: Readonly<Record<string, number>> | null
  readonly logprobs: boolean | null
  readonly topLogprobs: number | null
  /** Who it is for: OpenAI's `user`, Anthropic's `metadata.user_id`. */
  readonly user: string | null
  readonly metadata: Readonly<Record<string, unknown>> | null
  readonly serviceTier: string | null
  readonly verbosity: string | null
  /** OpenAI's `modalities`, `['text']` or `['text', 'audio']`. */
  readonly modalities: readonly string[] | null
  /** OpenAI's `audio`: the voice and format of a spoken answer. */
  readonly audio: Readonly<Record<string, unknown>> | null
  readonly promptCacheKey: string | null
}

export const NO_PARAMS: Params = {
  maxTokens: null,
  temperature: null,
  topP: null,
  topK: null,
  stop: null,
  seed: null,
  choices: null,
  frequencyPenalty: null,
  presencePenalty: null,
  logitBias: null,
  logprobs: null,
  topLogprobs: null,
  user: null,
  metadata: null,
  serviceTier: null,
  verbosity: null,
  modalities: null,
  audio: null,
  promptCacheKey: null,
}

/** What can be dropped, by its canonical name. */
export type ParamName =
  | keyof Params
  | 'tools'
  | 'toolChoice'
  | 'parallelToolCalls'
  | 'format'
  | 'reasoning'
  | 'messages'
export type ParamNames = Readonly<Partial<Record<ParamName, string>>>

/** A function that the model may call. Tools that the provider runs itself are `own`. */
export type Tool = FunctionTool | CustomTool | OwnTool

export interface FunctionTool {
  readonly type: 'function'
  readonly name: string
  readonly description: string | null
  /** A JSON Schema; null: no arguments. Its numbers are as exact-json.ts reads them. */
  readonly parameters: Readonly<Record<string, unknown>> | null
  readonly strict: boolean | null
  readonly cache?: CacheMark
}

/** OpenAI's `custom` tools: any text for arguments. */
export interface CustomTool {
  readonly type: 'custom'
  readonly name: string
  readonly description: string | null
  readonly format: unknown
}

export interface OwnTool {
  readonly type: 'own'
  readonly name: string
  readonly own: Own
}

export type ToolChoice =
  | { readonly type: 'auto' }
  | { readonly type: 'none' }
  /** Some tool must be called. */
  | { readonly type: 'required' }
  | { readonly type: 'tool'; readonly name: string }
  /** One of these, or (`required`) at least one: OpenAI's `allowed_tools`. */
  | { readonly type: 'allowed'; readonly names: readonly string[]; readonly required: boolean }

export type ForcedChoice = Extract<ToolChoice, { type: 'required' | 'tool' | 'allowed' }>

/** Whether it leaves the model no way but to call a tool. */
export function isForced(choice: ToolChoice | null): choice is ForcedChoice {
  return choice?.type === 'required' || choice?.type === 'tool' || (choice?.type === 'allowed' && choice.required)
}

export type ResponseFormat =
  | { readonly type: 'text' }
  /** Any JSON object. */
  | { readonly type: 'json' }
  | {
      readonly type: 'schema'
      readonly name: string
      readonly description: string | null
      readonly schema: Readonly<Record<string, unknown>>
      readonly strict: boolean | null
    }

/** How much is to be thought. Where an API knows an effort and another a budget, see reasoning.ts. */
export interface Reasoning {
  /** Null: the client doesn't say. */
  readonly effort: Effort | null
  /** Tokens; null: the client doesn't say. */
  readonly budget: number | null
  /** False: no thinking is wanted. Null: the client doesn't say. */
  readonly enabled: boolean | null
  /** Whether the client wants to read of it: null: it doesn't say. */
  readonly shown: boolean | null
}

/** As OpenAI names them, from the least on. */
export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
export type Effort = (typeof EFFORTS)[number]

export function isEffort(value: unknown): value is Effort {
  return EFFORTS.some((effort) => effort === value)
}

export interface EmbeddingRequest {
  readonly kind: 'embeddings'
  /** Texts, or lists of tokens where only the provider's own API can take them. */
  readonly input: readonly (string | readonly number[])[]
  readonly dimensions: number | null
  readonly encoding: 'float' | 'base64'
  readonly user: string | null
  readonly named: Readonly<Record<string, string>>
  readonly unknown: readonly string[]
}
