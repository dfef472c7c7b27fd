/** Whole answers of providers, each in its own API, made of scenarios. */
import type { Json, SaidFinish, SaidUsage } from './said.ts'
import type { Scenario } from './scenarios.ts'

/** The APIs in which providers are asked for a conversation. */
export type Spoken = 'chat' | 'responses' | 'messages' | 'gemini' | 'converse'
export const SPOKEN: readonly Spoken[] = ['chat', 'responses', 'messages', 'gemini', 'converse']

/** A whole answer, as JSON's text: numbers are spelt as in the scenario. */
export function answerIn(api: Spoken, scenario: Scenario): string {
  return JSON.stringify(SPEAKERS[api](scenario))
}

const SPEAKERS: Readonly<Record<Spoken, (scenario: Scenario) => Json>> = {
  chat: sayChat,
  responses: sayResponse,
  messages: sayMessage,
  gemini: sayGemini,
  converse: sayConverse,
}

const MODEL = 'upstream-model'

interface ExactJson {
  rawJSON(text: string): unknown
}

/** The arguments of a call, whose numbers keep their spelling. */
function argumentsOf(pieces: readonly string[]): Json {
  const exact = JSON as unknown as ExactJson
  const keep = (_: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' ? exact.rawJSON(context!.source!) : value
  return JSON.parse(pieces.join('') || '{}', keep)
}

export const CHAT_FINISH: Readonly<Record<SaidFinish, string>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  filtered: 'content_filter',
  unknown: 'stop',
}

export function chatUsage({ input, output, cached, reasoning }: SaidUsage): Json {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
  }
}

export const CHAT_HEAD = { id: 'chatcmpl-1', created: 1_770_933_892, model: MODEL }

function sayChat({ reasoning, text, calls, finish, usage }: Scenario): Json {
  const message = {
    role: 'assistant',
    content: text.length > 0 ? text.join('') : null,
    refusal: null,
    ...(reasoning.length > 0 ? { reasoning_content: reasoning.join('') } : {}),
    ...(calls.length > 0
      ? {
          tool_calls: calls.map(({ id, name, pieces }) => ({
            id,
            type: 'function',
            function: { name, arguments: pieces.join('') },
          })),
        }
      : {}),
  }
  const choices = [{ index: 0, message, logprobs: null, finish_reason: CHAT_FINISH[finish] }]
  return { ...CHAT_HEAD, object: 'chat.completion', choices, usage: chatUsage(usage) }
}

export function responseUsage({ input, output, cached, reasoning }: SaidUsage): Json {
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  }
}

/** The items of a response, in their order. */
export function responseItems({ reasoning, signature, text, calls }: Scenario): Json[] {
  const items: Json[] = []
  if (reasoning.length > 0) {
    const summary = [{ type: 'summary_text', text: reasoning.join('') }]
    items.push({ id: 'rs_1', type: 'reasoning', summary, encrypted_content: signature })
  }
  if (text.length > 0) {
    const content = [{ type: 'output_text', text: text.join(''), annotations: [], logprobs: [] }]
    items.push({ id: 'msg_1', type: 'message', role: 'assistant', status: 'completed', content })
  }
  for (const { id, name, pieces } of calls) {
    const call = { type: 'function_call', call_id: id, name, arguments: pieces.join('') || '{}', status: 'completed' }
    items.push({ id: `fc_${id}`, ...call })
  }
  return items
}

export function responseOf(scenario: Scenario, status: string, output: readonly Json[]): Json {
  const { finish, usage } = scenario
  const over = status !== 'in_progress'
  const reason = finish === 'filtered' ? 'content_filter' : 'max_output_tokens'
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_770_933_892,
    status,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason } : null,
    instructions: null,
    metadata: {},
    model: MODEL,
    output,
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    usage: over ? responseUsage(usage) : null,
  }
}

export function responseStatus({ finish }: Scenario): string {
  return finish === 'length' || finish === 'filtered' ? 'incomplete' : 'completed'
}

function sayResponse(scenario: Scenario): Json {
  return responseOf(scenario, responseStatus(scenario), responseItems(scenario))
}

export const MESSAGES_FINISH: Readonly<Record<SaidFinish, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  filtered: 'refusal',
  unknown: 'end_turn',
}

export function messagesUsage({ input, output, cached, cacheWrite }: SaidUsage): Json {
  return {
    input_tokens: input - cached - cacheWrite,
    cache_read_input_tokens: cached,
    cache_creation_input_tokens: cacheWrite,
    output_tokens: output,
  }
}

export const MESSAGE_HEAD = { id: 'msg_1', type: 'message', role: 'assistant', model: MODEL }

function sayMessage({ reasoning, signature, text, calls, finish, usage }: Scenario): Json {
  const content: Json[] = []
  if (reasoning.length > 0) content.push({ type: 'thinking', thinking: reasoning.join(''), signature })
  if (text.length > 0) content.push({ type: 'text', text: text.join('') })
  for (const { id, name, pieces } of calls) content.push({ type: 'tool_use', id, name, input: argumentsOf(pieces) })
  const end = { stop_reason: MESSAGES_FINISH[finish], stop_sequence: null, usage: messagesUsage(usage) }
  return { ...MESSAGE_HEAD, content, ...end }
}

export function geminiUsage({ input, output, cached, reasoning }: SaidUsage): Json {
  return {
    promptTokenCount: input,
    candidatesTokenCount: output - reasoning,
    totalTokenCount: input + output,
    thoughtsTokenCount: reasoning,
    cachedContentTokenCount: cached,
  }
}

export const GEMINI_FINISH: Readonly<Record<SaidFinish, string>> = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  tool_calls: 'STOP',
  filtered: 'SAFETY',
  unknown: 'OTHER',
}

/** Gemini signs calls, and the text that follows thoughts. */
export function geminiParts({ reasoning, signature, text, calls }: Scenario): Json[] {
  const signed = signature === null ? {} : { thoughtSignature: signature }
  return [
    ...reasoning.map((piece) => ({ text: piece, thought: true })),
    ...text.map((piece, index) => ({ text: piece, ...(index === 0 ? signed : {}) })),
    ...calls.map(({ name, pieces }, index) => ({
      functionCall: { name, args: argumentsOf(pieces) },
      ...(index === 0 ? signed : {}),
    })),
  ]
}

function sayGemini(scenario: Scenario): Json {
  const { finish, usage } = scenario
  const parts = geminiParts(scenario)
  const content = { role: 'model', ...(parts.length > 0 ? { parts } : {}) }
  return {
    candidates: [{ content, finishReason: GEMINI_FINISH[finish], index: 0 }],
    usageMetadata: geminiUsage(usage),
    modelVersion: MODEL,
    responseId: 'gemini-1',
  }
}

export const CONVERSE_FINISH: Readonly<Record<SaidFinish, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  filtered: 'content_filtered',
  unknown: 'end_turn',
}

export function converseUsage({ input, output, cached, cacheWrite }: SaidUsage): Json {
  return {
    inputTokens: input - cached - cacheWrite,
    outputTokens: output,
    totalTokens: input + output,
    cacheReadInputTokens: cached,
    cacheWriteInputTokens: cacheWrite,
  }
}

function sayConverse({ reasoning, signature, text, calls, finish, usage }: Scenario): Json {
  const content: Json[] = []
  if (reasoning.length > 0) {
    content.push({ reasoningContent: { reasoningText: { text: reasoning.join(''), signature } } })
  }
  if (text.length > 0) content.push({ text: text.join('') })
  for (const { id, name, pieces } of calls) {
    content.push({ toolUse: { toolUseId: id, name, input: argumentsOf(pieces) } })
  }
  return {
    output: { message: { role: 'assistant', content } },
    stopReason: CONVERSE_FINISH[finish],
    usage: converseUsage(usage),
    metrics: { latencyMs: 100 },
  }
}
