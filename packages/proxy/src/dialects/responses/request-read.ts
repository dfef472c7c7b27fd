/** What a client asks of `/v1/responses` (OpenAI's API reference, "Create a model response") in the canonical form. */
import type { TextPart } from '../../canonical/content.ts'
import { flag } from '../../canonical/openai-params.ts'
import { unsayable, wrong } from '../../canonical/problem.ts'
import { EFFORTS, isEffort, NO_PARAMS, type ChatRequest, type Params, type Reasoning } from '../../canonical/request.ts'
import { type JsonObject, isObject } from '../../canonical/values.ts'
import { readTextSettings } from './format.ts'
import { readInput } from './input-read.ts'
import { readToolChoice } from './tool-choice.ts'
import { readTools } from './tools.ts'

const NAMED = {
  maxTokens: 'max_output_tokens',
  temperature: 'temperature',
  topP: 'top_p',
  logprobs: 'include',
  topLogprobs: 'top_logprobs',
  user: 'user',
  metadata: 'metadata',
  serviceTier: 'service_tier',
  verbosity: 'text.verbosity',
  promptCacheKey: 'prompt_cache_key',
  tools: 'tools',
  toolChoice: 'tool_choice',
  parallelToolCalls: 'parallel_tool_calls',
  format: 'text.format',
  reasoning: 'reasoning',
  messages: 'input',
} as const

const READ: ReadonlySet<string> = new Set([
  'model',
  'input',
  'instructions',
  'stream',
  'stream_options',
  'store',
  'background',
  'previous_response_id',
  'conversation',
  'prompt',
  'include',
  'text',
  'reasoning',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_output_tokens',
  'temperature',
  'top_p',
  'top_logprobs',
  'user',
  'safety_identifier',
  'metadata',
  'service_tier',
  'prompt_cache_key',
  'truncation',
])

/** What the answer repeats of its request. */
const ECHOED = [
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'parallel_tool_calls',
  'prompt_cache_key',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
]

const LOGPROBS = 'message.output_text.logprobs'
/** Its answers always have that. */
const ENCRYPTED = 'reasoning.encrypted_content'

/** @throws GatewayError for what makes no sense, or what only the API that keeps responses can do */
export function readResponsesRequest(body: JsonObject): ChatRequest {
  refuseState(body)
  const { system, messages } = readInput(body['input'])
  const { format, verbosity } = readTextSettings(body['text'])
  const tools = readTools(body['tools'])
  const include = readInclude(body['include'])
  return {
    kind: 'chat',
    system: [...readInstructions(body['instructions']), ...system],
    messages,
    tools,
    toolChoice: readToolChoice(body['tool_choice'], tools),
    parallelToolCalls: flag(body, 'parallel_tool_calls'),
    format,
    reasoning: readReasoning(body['reasoning']),
    params: readParams(body, verbosity, include.includes(LOGPROBS)),
    stream: body['stream'] === true,
    named: typeof body['user'] !== 'string' && body['safety_identifier'] != null ? BY_IDENTIFIER : NAMED,
    unknown: readUnknown(body, include),
    echo: Object.fromEntries(ECHOED.filter((name) => body[name] != null).map((name) => [name, body[name]])),
  }
}

const BY_IDENTIFIER = { ...NAMED, user: 'safety_identifier' }

const WITHOUT_STATE = 'Only providers that speak the Responses API keep responses'

function refuseState(body: JsonObject): void {
  for (const name of ['previous_response_id', 'conversation', 'prompt']) {
    if (body[name] != null)
      throw unsayable(name, `${WITHOUT_STATE}, and this one does not: "${name}" cannot be said to it.`)
  }
  for (const name of ['background', 'store']) {
    if (flag(body, name) === true) {
      throw unsayable(name, `${WITHOUT_STATE}, and this one does not: "${name}": true cannot be said to it.`)
    }
  }
}

function readInstructions(value: unknown): TextPart[] {
  if (value == null || value === '') return []
  if (typeof value !== 'string') throw wrong('instructions', '"instructions" has to be a string.')
  return [{ type: 'text', text: value }]
}

function readInclude(value: unknown): readonly string[] {
  if (value == null) return []
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) {
    throw wrong('include', '"include" has to be a list of strings.')
  }
  return value
}

function readUnknown(body: JsonObject, include: readonly string[]): readonly string[] {
  const unknown = Object.keys(body).filter((name) => !READ.has(name) && body[name] !== null)
  // What isn't sent to the provider can't be cut to fit.
  if (body['truncation'] === 'auto') unknown.push('truncation')
  if (include.some((one) => one !== LOGPROBS && one !== ENCRYPTED)) unknown.push('include')
  return unknown
}

function readParams(body: JsonObject, verbosity: string | null, logprobs: boolean): Params {
  const topLogprobs = number(body, 'top_logprobs', 0, 20)
  return {
    ...NO_PARAMS,
    maxTokens: number(body, 'max_output_tokens', 1),
    temperature: number(body, 'temperature', 0),
    topP: number(body, 'top_p', 0),
    logprobs: logprobs || null,
    topLogprobs: topLogprobs === 0 ? null : topLogprobs,
    user: text(body, 'user') ?? text(body, 'safety_identifier'),
    metadata: readMetadata(body['metadata']),
    serviceTier: text(body, 'service_tier'),
    promptCacheKey: text(body, 'prompt_cache_key'),
    verbosity,
  }
}

function readMetadata(value: unknown): JsonObject | null {
  if (value == null) return null
  if (!isObject(value)) throw wrong('metadata', '"metadata" has to be an object.')
  return Object.keys(value).length === 0 ? null : value
}

function readReasoning(value: unknown): Reasoning | null {
  if (value == null) return null
  if (!isObject(value)) throw wrong('reasoning', '"reasoning" has to be an object.')
  const { effort = null, summary, generate_summary: before } = value
  if (effort !== null && !isEffort(effort)) {
    throw wrong('reasoning.effort', `"reasoning.effort" has to be one of ${EFFORTS.join(', ')}.`)
  }
  const shown = (summary ?? before) != null
  if (effort === null && !shown) return null
  return {
    effort,
    budget: null,
    enabled: effort === 'none' ? false : null,
    shown: shown || null,
  }
}

function number(body: JsonObject, name: string, least: number, most = Infinity): number | null {
  const value = body[name] ?? null
  if (value === null) return null
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw wrong(
    name,
    `"${name}" has to be a number of at least ${least}${most === Infinity ? '' : ` and at most ${most}`}.`,
  )
}

function text(body: JsonObject, name: string): string | null {
  const value = body[name] ?? null
  if (value === null || typeof value === 'string') return value
  throw wrong(name, `"${name}" has to be a string.`)
}
