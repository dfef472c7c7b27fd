/** Puts a request to Anthropic's Messages API. */
import { abilitiesOf, type Abilities } from '../../canonical/claude.ts'
import { Dropped } from '../../canonical/dropped.ts'
import { unsayable } from '../../canonical/problem.ts'
import { isForced, type CanonicalRequest, type Params, type ToolChoice } from '../../canonical/request.ts'
import { canThinkOn, withoutThoughts } from '../../canonical/turn.ts'
import type { JsonObject } from '../../canonical/values.ts'
import type { Encoded, EncodeOptions } from '../../canonical/wire.ts'
import { BLOCK_KINDS } from './block-kinds.ts'
import { BlockWriter } from './write-blocks.ts'
import { answerByTool, writeFormat } from './write-format.ts'
import { writeConversation } from './write-messages.ts'
import { writeThinking } from './write-thinking.ts'
import { calledBefore, writeChoice, writeTools } from './write-tools.ts'

/** What readers of answers know of the request. */
export interface MessagesMemo {
  /** The names of custom tools. */
  readonly custom: ReadonlySet<string>
}

/** @throws GatewayError unsupported_endpoint */
export function encodeMessages(request: CanonicalRequest, { model, stream }: EncodeOptions): Encoded {
  if (request.kind !== 'chat') throw unsayable('input', 'Anthropic has no embeddings.')
  const abilities = abilitiesOf(model)
  const dropped = new Dropped(request)
  const { params } = request
  const writer = new BlockWriter()
  const { tools, custom, lost } = writeTools(request, abilities, writer)
  const format = writeFormat(request, abilities)
  const { system, messages } = writeConversation(request, writer)
  if (lost) dropped.add('tools')

  const maxTokens = params.maxTokens ?? abilities.maxTokens
  const choice = tools.length === 0 ? null : request.toolChoice
  const forced = isForced(choice)
  const byBudget = abilities.thinking === 'budget'
  const possible = !byBudget || (!forced && canThinkOn(messages, BLOCK_KINDS))
  const { thinking, effort, on, dropped: unthought } = writeThinking(request.reasoning, abilities, maxTokens, possible)
  if (unthought) dropped.add('reasoning')

  const answerTool = (format.tool?.['name'] ?? null) as string | null
  let told: ToolChoice | null = choice
  if (forced && !abilities.forced) {
    told = null
    dropped.add('toolChoice')
  }
  if (format.tool !== null) {
    const free = on || !abilities.forced
    if (free) system.push({ type: 'text', text: answerByTool(answerTool!) })
    told = free
      ? null
      : tools.length === 0 || choice?.type === 'none'
        ? { type: 'tool', name: answerTool! }
        : { type: 'required' }
    tools.push(format.tool)
  }
  if (tools.length === 0) {
    tools.push(...calledBefore(messages))
    if (tools.length > 0) told = { type: 'none' }
  }
  const single = request.parallelToolCalls === false && tools.length > 0
  const toolChoice = tools.length === 0 ? null : writeChoice(told, single)
  const config = {
    ...(effort === null ? {} : { effort }),
    ...(format.native === null ? {} : { format: format.native }),
  }
  const body = {
    model,
    max_tokens: maxTokens,
    ...(system.length === 0 ? {} : { system }),
    messages: unthought && byBudget ? withoutThoughts(messages, BLOCK_KINDS) : messages,
    ...(tools.length === 0 ? {} : { tools }),
    ...(toolChoice === null ? {} : { tool_choice: toolChoice }),
    ...(thinking === null ? {} : { thinking }),
    ...(Object.keys(config).length === 0 ? {} : { output_config: config }),
    ...writeSampling(params, abilities, on, dropped),
    ...writeOthers(params, dropped),
    ...(stream ? { stream: true } : {}),
  }
  const memo: MessagesMemo = { custom }
  return { body: JSON.stringify(body), dropped: dropped.names, answerTool, memo }
}

function writeSampling(params: Params, abilities: Abilities, thinks: boolean, dropped: Dropped): JsonObject {
  const { temperature, topP, topK } = params
  const told: Record<string, unknown> = {}
  const free = abilities.sampling && !thinks
  // The API's range ends where OpenAI's has its middle.
  const heat = temperature === null ? null : Math.min(1, Math.max(0, temperature))
  if (heat !== null && free) told['temperature'] = heat
  else if (heat !== null && heat !== 1) dropped.add('temperature')
  const both = heat !== null && !abilities.bothSampling
  if (topP !== null && abilities.sampling && !both && (!thinks || topP >= 0.95)) told['top_p'] = topP
  else if (topP !== null && topP !== 1) dropped.add('topP')
  if (topK !== null && free) told['top_k'] = topK
  else if (topK !== null) dropped.add('topK')
  return told
}

function writeOthers(params: Params, dropped: Dropped): JsonObject {
  const told: Record<string, unknown> = {}
  const { stop, user, serviceTier } = params
  const sequences = (stop ?? []).filter((one) => one.trim() !== '')
  if (sequences.length > 0) told['stop_sequences'] = sequences
  if (sequences.length < (stop?.length ?? 0)) dropped.add('stop')
  if (user !== null && user.length <= 256) told['metadata'] = { user_id: user }
  else if (user !== null) dropped.add('user')
  if (serviceTier === 'default' || serviceTier === 'standard_only') told['service_tier'] = 'standard_only'
  else if (serviceTier !== null && serviceTier !== 'auto') dropped.add('serviceTier')
  if (params.seed !== null) dropped.add('seed')
  if ((params.choices ?? 1) > 1) dropped.add('choices')
  if (params.frequencyPenalty) dropped.add('frequencyPenalty')
  if (params.presencePenalty) dropped.add('presencePenalty')
  if (params.logitBias !== null && Object.keys(params.logitBias).length > 0) dropped.add('logitBias')
  if (params.logprobs === true) dropped.add('logprobs')
  if (params.topLogprobs) dropped.add('topLogprobs')
  if (params.metadata !== null && Object.keys(params.metadata).length > 0) dropped.add('metadata')
  if (params.verbosity !== null && params.verbosity !== 'medium') dropped.add('verbosity')
  if (params.modalities?.some((one) => one !== 'text')) dropped.add('modalities')
  if (params.audio !== null) dropped.add('audio')
  if (params.promptCacheKey !== null) dropped.add('promptCacheKey')
  return told
}
