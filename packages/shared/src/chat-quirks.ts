/**
 * How providers that speak OpenAI's chat completions differ in what they take. What clients of other APIs say is put to them by
 * all of it. Of bodies of chat completions, which go there as they come, `rename`, `drop`, `includeUsage` and `endsWithoutDone`
 * hold, and `developer`, `names`, `toolIds`, `userAfterTool` and `dropInMessages` for the messages that a preset's provider would
 * refuse.
 */
export interface ChatQuirks {
  /** What limits the answer's tokens: OpenAI has renamed it. */
  readonly maxTokens: 'max_tokens' | 'max_completion_tokens'
  /** Whether it knows the role `developer`; else that is `system`. */
  readonly developer: boolean
  /** Whose messages may have a `name`: anybody's, the user's alone, or tools' alone (it is never written there). */
  readonly names: 'any' | 'user' | 'tool'
  /** Whether a user's message may follow a tool's; else one of the model's stands between them. */
  readonly userAfterTool: boolean
  /** Whether texts of one message may stay apart, as parts; else they are joined. */
  readonly textParts: boolean
  /** Whether it knows `custom` tools, `allowed_tools` and `refusal` in a message of the past. */
  readonly openAi: boolean
  /** Whether it is told by `cache_control` what it may keep, as OpenRouter is. */
  readonly cacheControl: boolean
  /** In which form it wants to have its own thoughts back; null: in none. */
  readonly reasoningBack: 'reasoning_content' | 'reasoning_details' | null
  /** How it is told how much to think: OpenAI's effort, OpenRouter's object, a switch, Alibaba's; null: it isn't. */
  readonly reasoning: 'reasoning_effort' | 'reasoning' | 'thinking' | 'enable_thinking' | null
  /** What ids of calls may be: Mistral's are 9 letters and digits, OpenAI's have at most 40 characters. */
  readonly toolIds: 'any' | 'short' | 'nine'
  /** How a JSON Schema is asked for: as such, or by any JSON object and a word about it. */
  readonly schema: 'json_schema' | 'json_object'
  /** Whether a stream is asked for its usage; false: it tells it anyway, or refuses to be asked. */
  readonly includeUsage: boolean
  /** Whether a stream is whole without `[DONE]`, once its choices have ended. */
  readonly endsWithoutDone: boolean
  /** Members that it knows besides those that all know: `top_k`, `service_tier`, … */
  readonly extra: readonly string[]
  /** Members that it has another name for. */
  readonly rename: Readonly<Record<string, string>>
  /** Members that it refuses a request for. */
  readonly drop: readonly string[]
  /** Members of messages that it refuses a request for. Conversations of other APIs are never written with them. */
  readonly dropInMessages: readonly string[]
}
