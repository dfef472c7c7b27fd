/**
 * What an answer says, read by each API's own documentation, so that answers of different APIs can be compared. Knows nothing
 * of how Millrace reads them.
 */
import type { Dialect } from './kinds.ts'

export interface SaidCall {
  readonly name: string
  /** Parsed; what is no JSON as it is. */
  readonly arguments: unknown
}

export interface SaidUsage {
  /** All of the input, what was read from a cache or written to it too. */
  readonly input: number
  /** All of the output, thoughts too. */
  readonly output: number
  readonly cached: number
  readonly cacheWrite: number
  readonly reasoning: number
}

/** Why an answer ends, as far as all APIs tell it apart. */
export type SaidFinish = 'stop' | 'length' | 'tool_calls' | 'filtered' | 'unknown'

export interface Said {
  readonly text: string
  readonly reasoning: string
  readonly refusal: string
  readonly calls: readonly SaidCall[]
  /** Null: it does not say. */
  readonly finish: SaidFinish | null
  readonly usage: SaidUsage | null
}

export type Json = any

/** Gathers what is said piece by piece. */
export class Gathered {
  text = ''
  reasoning = ''
  refusal = ''
  finish: SaidFinish | null = null
  usage: SaidUsage | null = null
  readonly #calls = new Map<unknown, { name: string; arguments: string }>()

  /** @param key by which later pieces of its arguments find it */
  call(key: unknown, name: string, text = ''): void {
    const call = this.#calls.get(key)
    if (call === undefined) this.#calls.set(key, { name, arguments: text })
    else call.arguments += text
  }

  get callCount(): number {
    return this.#calls.size
  }

  said(): Said {
    const { text, reasoning, refusal, finish, usage } = this
    const calls = [...this.#calls.values()].map((call) => ({ name: call.name, arguments: parsed(call.arguments) }))
    return { text, reasoning, refusal, calls, finish, usage }
  }
}

function parsed(text: string): unknown {
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** What a whole answer says; of several choices the first. */
export function saidBy(dialect: Dialect, answer: Json): Said {
  const gathered = new Gathered()
  READERS[dialect](answer, gathered)
  return gathered.said()
}

const READERS: Readonly<Record<Dialect, (answer: Json, to: Gathered) => void>> = {
  chat: readChat,
  completions: readCompletion,
  embeddings: readEmbeddings,
  responses: readResponse,
  messages: readMessage,
  gemini: readGemini,
  converse: readConverse,
}

function readChat({ choices: [choice], usage }: Json, to: Gathered): void {
  const { message } = choice
  readChatContent(message.content, to)
  to.reasoning += message.reasoning_content ?? message.reasoning ?? ''
  to.refusal = message.refusal ?? ''
  for (const call of message.tool_calls ?? []) {
    const { name, arguments: args, input } = call.function ?? call.custom
    to.call(call, name, args ?? input)
  }
  to.finish = finishOfChat(choice.finish_reason, to)
  to.usage = usageOfChat(usage)
}

/** One that says why it refuses ends as any other. */
export function finishOfChat(word: string | null | undefined, { refusal }: Gathered): SaidFinish | null {
  const finish = finishOf(word)
  return finish === 'stop' && refusal !== '' ? 'filtered' : finish
}

/** Mistral has lists of text and thinking where OpenAI has a text. */
export function readChatContent(content: Json, to: Gathered): void {
  if (typeof content === 'string') to.text += content
  for (const part of Array.isArray(content) ? content : []) {
    if (part.type === 'text') to.text += part.text
    if (part.type === 'thinking') to.reasoning += part.thinking.map(({ text }: Json) => text).join('')
  }
}

function readCompletion({ choices: [choice], usage }: Json, to: Gathered): void {
  to.text = choice.text
  to.finish = finishOf(choice.finish_reason)
  to.usage = usageOfChat(usage)
}

function readEmbeddings({ usage }: Json, to: Gathered): void {
  to.usage = usageOfChat({ completion_tokens: 0, ...usage })
}

function readResponse(response: Json, to: Gathered): void {
  for (const item of response.output) {
    if (item.type === 'reasoning') {
      const parts = item.content?.length > 0 ? item.content : item.summary
      to.reasoning += (parts ?? []).map(({ text }: Json) => text).join('\n\n')
    }
    if (item.type === 'function_call') to.call(item, item.name, item.arguments)
    if (item.type === 'custom_tool_call') to.call(item, item.name, item.input)
    for (const part of item.type === 'message' ? item.content : []) {
      if (part.type === 'output_text') to.text += part.text
      if (part.type === 'refusal') to.refusal += part.refusal
    }
  }
  readResponseEnd(response, to)
}

/** Of a response there is no word for why it ended but its status, and what is in it. */
export function readResponseEnd({ status = 'completed', incomplete_details: why, usage }: Json, to: Gathered): void {
  const calls = to.callCount > 0
  if (status === 'incomplete') to.finish = why.reason === 'content_filter' ? 'filtered' : 'length'
  else if (status === 'completed') to.finish = calls ? 'tool_calls' : to.refusal === '' ? 'stop' : 'filtered'
  to.usage = usageOfResponse(usage)
}

function readMessage({ content, stop_reason: why, usage }: Json, to: Gathered): void {
  for (const block of content) {
    if (block.type === 'text') to.text += block.text
    if (block.type === 'thinking') to.reasoning += block.thinking
    if (block.type === 'tool_use') to.call(block, block.name, JSON.stringify(block.input))
  }
  to.finish = finishOf(why)
  to.usage = usageOfMessage(usage)
}

export function readGemini({ candidates, promptFeedback, usageMetadata }: Json, to: Gathered): void {
  const [candidate] = candidates ?? []
  for (const part of candidate?.content?.parts ?? []) {
    if (part.functionCall) to.call(part, part.functionCall.name, JSON.stringify(part.functionCall.args ?? {}))
    else if (part.thought) to.reasoning += part.text ?? ''
    else to.text += part.text ?? ''
  }
  if (promptFeedback?.blockReason) to.finish = 'filtered'
  if (candidate?.finishReason) {
    const why = finishOf(candidate.finishReason)
    to.finish = why === 'stop' && to.said().calls.length > 0 ? 'tool_calls' : why
  }
  if (usageMetadata) to.usage = usageOfGemini(usageMetadata)
}

function readConverse({ output, stopReason, usage }: Json, to: Gathered): void {
  for (const block of output.message.content) {
    to.text += block.text ?? ''
    for (const { text } of block.citationsContent?.content ?? []) to.text += text
    to.reasoning += block.reasoningContent?.reasoningText?.text ?? ''
    if (block.toolUse) to.call(block, block.toolUse.name, JSON.stringify(block.toolUse.input))
  }
  to.finish = finishOf(stopReason)
  to.usage = usageOfConverse(usage)
}

const FINISHES: Readonly<Record<SaidFinish, readonly string[]>> = {
  stop: ['stop', 'end_turn', 'stop_sequence', 'STOP', 'pause_turn'],
  length: ['length', 'max_tokens', 'model_context_window_exceeded', 'MAX_TOKENS', 'model_length'],
  tool_calls: ['tool_calls', 'function_call', 'tool_use'],
  filtered: ['content_filter', 'refusal', 'content_filtered', 'guardrail_intervened', 'SAFETY', 'PROHIBITED_CONTENT'],
  unknown: [],
}

export function finishOf(word: string | null | undefined): SaidFinish | null {
  if (word == null) return null
  return (Object.entries(FINISHES).find(([, words]) => words.includes(word))?.[0] ?? 'unknown') as SaidFinish
}

export function usageOfChat(usage: Json): SaidUsage | null {
  if (!usage) return null
  const { prompt_tokens: input, completion_tokens: output, total_tokens: total } = usage
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? 0
  return {
    input,
    // xAI's completion tokens don't count its thoughts.
    output: total === input + output + reasoning ? output + reasoning : output,
    // DeepSeek's, and Moonshot's.
    cached: usage.prompt_tokens_details?.cached_tokens ?? usage.prompt_cache_hit_tokens ?? usage.cached_tokens ?? 0,
    cacheWrite: usage.prompt_tokens_details?.cache_write_tokens ?? 0,
    reasoning,
  }
}

function usageOfResponse(usage: Json): SaidUsage | null {
  if (!usage) return null
  return {
    input: usage.input_tokens,
    output: usage.output_tokens,
    cached: usage.input_tokens_details?.cached_tokens ?? 0,
    cacheWrite: usage.input_tokens_details?.cache_write_tokens ?? 0,
    reasoning: usage.output_tokens_details?.reasoning_tokens ?? 0,
  }
}

/** Anthropic's `input_tokens` are those that no cache has to do with. */
export function usageOfMessage(usage: Json): SaidUsage | null {
  if (!usage) return null
  const [cached, cacheWrite] = [usage.cache_read_input_tokens ?? 0, usage.cache_creation_input_tokens ?? 0]
  return {
    input: usage.input_tokens + cached + cacheWrite,
    output: usage.output_tokens,
    cached,
    cacheWrite,
    reasoning: usage.output_tokens_details?.thinking_tokens ?? 0,
  }
}

/** Gemini's candidates don't count its thoughts. */
function usageOfGemini(usage: Json): SaidUsage {
  const reasoning = usage.thoughtsTokenCount ?? 0
  return {
    input: (usage.promptTokenCount ?? 0) + (usage.toolUsePromptTokenCount ?? 0),
    output: (usage.candidatesTokenCount ?? 0) + reasoning,
    cached: usage.cachedContentTokenCount ?? 0,
    cacheWrite: 0,
    reasoning,
  }
}

/** As Anthropic's. */
export function usageOfConverse(usage: Json): SaidUsage {
  const [cached, cacheWrite] = [usage.cacheReadInputTokens ?? 0, usage.cacheWriteInputTokens ?? 0]
  return {
    input: usage.inputTokens + cached + cacheWrite,
    output: usage.outputTokens,
    cached,
    cacheWrite,
    reasoning: 0,
  }
}
