/** What a client asks for in a chat completion's request (OpenAI's API reference, and what OpenRouter, Anthropic's and Alibaba's clients add). */
import { flag, given, OPENAI_PARAMS, readOpenAiParams, type Named } from '../../canonical/openai-params.ts'
import { wrong } from '../../canonical/problem.ts'
import { EFFORTS, isEffort, type ChatRequest, type Effort, type Reasoning } from '../../canonical/request.ts'
import { isObject, listOf, type JsonObject } from '../../canonical/values.ts'
import { readMessages } from './read-messages.ts'
import { readFormat, readTools, readToolChoice } from './read-tools.ts'

/**
 * @param body parsed, with `messages` a list
 * @throws GatewayError see {@link Call.canonical}
 */
export function readChatRequest(body: JsonObject): ChatRequest {
  const named: Named = { messages: 'messages' }
  const tools = readTools(body)
  if (tools.length > 0) named.tools = given(body, 'tools') ? 'tools' : 'functions'
  const toolChoice = readToolChoice(body, new Set(tools.map(({ name }) => name)))
  if (toolChoice !== null) named.toolChoice = given(body, 'tool_choice') ? 'tool_choice' : 'function_call'
  const parallelToolCalls = flag(body, 'parallel_tool_calls')
  if (parallelToolCalls !== null) named.parallelToolCalls = 'parallel_tool_calls'
  const format = readFormat(body['response_format'])
  if (format !== null) named.format = 'response_format'
  const reasoning = readReasoningParams(body, named)
  return {
    kind: 'chat',
    ...readMessages(listOf(body['messages'])),
    tools,
    toolChoice,
    parallelToolCalls,
    format,
    reasoning,
    params: readOpenAiParams(body, named),
    stream: body['stream'] === true,
    named,
    unknown: Object.keys(body).filter((name) => !KNOWN.has(name) && given(body, name) && !isDefault(name, body[name])),
  }
}

/** Where it may stand how much is to be thought. */
const REASONING = [
  'reasoning_effort',
  'reasoning',
  'thinking',
  'enable_thinking',
  'thinking_budget',
  'include_reasoning',
]

const KNOWN: ReadonlySet<string> = new Set([
  ...OPENAI_PARAMS,
  'model',
  'messages',
  'stream',
  'stream_options',
  'tools',
  'functions',
  'tool_choice',
  'function_call',
  'parallel_tool_calls',
  'response_format',
  ...REASONING,
])

/** What says nothing that is not so anyway. */
function isDefault(name: string, value: unknown): boolean {
  return name === 'store' && value === false
}

function readReasoningParams(body: JsonObject, named: Named): Reasoning | null {
  const name = REASONING.find((each) => given(body, each))
  if (name === undefined) return null
  named.reasoning = name
  const { reasoning, thinking } = body
  const read = [
    given(body, 'reasoning_effort')
      ? { ...NO_REASONING, effort: effortAt(body['reasoning_effort'], 'reasoning_effort') }
      : null,
    isObject(reasoning) ? readOpenRouters(reasoning) : null,
    isObject(thinking) ? readAnthropics(thinking) : null,
    readAlibabas(body),
  ]
  const shown = flag(body, 'include_reasoning')
  const merged = { ...NO_REASONING, shown }
  for (const each of read) {
    merged.effort ??= each?.effort ?? null
    merged.budget ??= each?.budget ?? null
    merged.enabled ??= each?.enabled ?? null
    merged.shown ??= each?.shown ?? null
  }
  return merged
}

const NO_REASONING: { -readonly [K in keyof Reasoning]: Reasoning[K] } = {
  effort: null,
  budget: null,
  enabled: null,
  shown: null,
}

function effortAt(value: unknown, at: string): Effort {
  if (!isEffort(value)) throw wrong(at, `"${at}" has to be one of ${EFFORTS.join(', ')}.`)
  return value
}

function readOpenRouters({ effort, max_tokens: budget, enabled, exclude }: JsonObject): Reasoning {
  return {
    effort: effort === undefined || effort === null ? null : effortAt(effort, 'reasoning.effort'),
    budget: typeof budget === 'number' ? budget : null,
    enabled: typeof enabled === 'boolean' ? enabled : null,
    shown: typeof exclude === 'boolean' ? !exclude : null,
  }
}

/** Also DeepSeek's, Moonshot's and Z.ai's, which have no budget. */
function readAnthropics({ type, budget_tokens: budget }: JsonObject): Reasoning {
  const enabled = type === 'disabled' ? false : type === 'enabled' || type === 'adaptive' ? true : null
  return { effort: null, budget: typeof budget === 'number' ? budget : null, enabled, shown: null }
}

function readAlibabas({ enable_thinking: enabled, thinking_budget: budget }: JsonObject): Reasoning {
  return {
    effort: null,
    budget: typeof budget === 'number' ? budget : null,
    enabled: typeof enabled === 'boolean' ? enabled : null,
    shown: null,
  }
}
