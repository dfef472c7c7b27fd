/** A canonical request as a body for the Responses API. */
import { Dropped } from '../../canonical/dropped.ts'
import { unsayable } from '../../canonical/problem.ts'
import { effortOf } from '../../canonical/reasoning.ts'
import type { CanonicalRequest, ChatRequest, ParamName, Params, Reasoning } from '../../canonical/request.ts'
import { type JsonObject, isObject } from '../../canonical/values.ts'
import type { Encoded, EncodeOptions } from '../../canonical/wire.ts'
import { textSettings } from './format.ts'
import { InputWriter } from './input-write.ts'
import { TIERS } from './response-object.ts'
import { toolChoiceOf } from './tool-choice.ts'
import { sayableTool, toolOf } from './tools.ts'

/** The least that OpenAI takes for `max_output_tokens`. */
const LEAST_OUTPUT = 16
const VERBOSITIES: readonly string[] = ['low', 'medium', 'high']
/** Models that don't reason: OpenAI refuses them a request that wants encrypted reasoning. */
const NO_REASONING = /(?:^|[/.:])(?:gpt-3|gpt-4|chatgpt-|gpt-5-chat)/

/** What this API has no word for. */
const UNKNOWN = [
  'topK',
  'stop',
  'seed',
  'frequencyPenalty',
  'presencePenalty',
  'logitBias',
  'audio',
] as const satisfies readonly ParamName[]

export function encodeResponses(request: CanonicalRequest, { model, stream }: EncodeOptions): Encoded {
  if (request.kind !== 'chat') throw unsayable('model', 'The Responses API makes no embeddings.')
  const dropped = new Dropped(request)
  const { params, format } = request
  // There must be some input.
  const alone = request.messages.length === 0
  const [system, messages] = alone
    ? [[], [{ role: 'developer', content: request.system } as const]]
    : [request.system, request.messages]
  const tools = request.tools.map(sayableTool).filter((tool) => tool !== null)
  const choice = request.toolChoice && toolChoiceOf(request.toolChoice, tools)
  if (tools.length < request.tools.length) dropped.add('tools')
  if (request.toolChoice !== null && choice === null) dropped.add('toolChoice')
  const instructions = system.map(({ text }) => text).join('\n\n')
  const body = {
    model,
    ...(instructions !== '' && { instructions }),
    input: new InputWriter().write(messages),
    ...(tools.length > 0 && {
      tools: tools.map(toolOf),
      ...(choice !== null && { tool_choice: choice }),
      ...(request.parallelToolCalls !== null && { parallel_tool_calls: request.parallelToolCalls }),
    }),
    text: textSettings(format, unlessIn(VERBOSITIES, 'verbosity', request, dropped)),
    reasoning: reasoningOf(request.reasoning, dropped),
    ...(params.maxTokens !== null && { max_output_tokens: Math.max(params.maxTokens, LEAST_OUTPUT) }),
    ...(params.temperature !== null && { temperature: params.temperature }),
    ...(params.topP !== null && { top_p: params.topP }),
    ...(params.topLogprobs !== null && { top_logprobs: params.topLogprobs }),
    ...(params.user !== null && { [userMember(request)]: params.user }),
    metadata: metadataOf(request, dropped),
    service_tier: unlessIn(TIERS, 'serviceTier', request, dropped) ?? undefined,
    ...(params.promptCacheKey !== null && { prompt_cache_key: params.promptCacheKey }),
    include: includeOf(request, model),
    store: false,
    ...(stream && { stream: true }),
  }
  for (const name of UNKNOWN) if (!isDefault(name, params[name])) dropped.add(name)
  if (params.choices !== null && params.choices > 1) dropped.add('choices')
  if (params.modalities?.some((modality) => modality !== 'text')) dropped.add('modalities')
  return { body: JSON.stringify(body), dropped: dropped.names, answerTool: null, memo: null }
}

/** Whether a parameter asks for nothing else than there is without it. */
function isDefault(name: (typeof UNKNOWN)[number], value: Params[(typeof UNKNOWN)[number]]): boolean {
  if (value === null) return true
  if (typeof value === 'object') return Object.keys(value).length === 0
  return value === 0 && name.endsWith('Penalty')
}

/** OpenAI has two names for who it is for. */
function userMember({ named }: ChatRequest): string {
  return named.user === 'safety_identifier' ? 'safety_identifier' : 'user'
}

/** @returns the parameter's word if this API knows it; null: it doesn't, or there is none */
function unlessIn(
  known: readonly string[],
  name: 'verbosity' | 'serviceTier',
  { params }: ChatRequest,
  dropped: Dropped,
): string | null {
  const value = params[name]
  if (value === null || known.includes(value)) return value
  dropped.add(name)
  return null
}

/** Thinking that is not wanted can't be said to all of its models: some always think. */
function reasoningOf(reasoning: Reasoning | null, dropped: Dropped): JsonObject | undefined {
  if (reasoning === null) return undefined
  const { budget, enabled, shown } = reasoning
  const effort = reasoning.effort ?? (budget !== null && budget > 0 ? effortOf(budget) : null)
  if (effort === null && (enabled === false || budget === 0)) {
    dropped.add('reasoning')
    return undefined
  }
  if (effort === null && shown !== true) return undefined
  return { ...(effort !== null && { effort }), ...(shown === true && { summary: 'auto' }) }
}

function metadataOf({ params: { metadata } }: ChatRequest, dropped: Dropped): JsonObject | undefined {
  if (metadata === null) return undefined
  if (isObject(metadata) && Object.values(metadata).every((value) => typeof value === 'string')) return metadata
  dropped.add('metadata')
  return undefined
}

function includeOf({ params }: ChatRequest, model: string): string[] | undefined {
  const include: string[] = []
  if (!NO_REASONING.test(model)) include.push('reasoning.encrypted_content')
  if (params.logprobs === true || params.topLogprobs !== null) include.push('message.output_text.logprobs')
  return include.length === 0 ? undefined : include
}
