/** What is asked for beside the conversation, as `generationConfig` (Gemini's API reference, "GenerationConfig"). */
import type { Dropped } from '../../canonical/dropped.ts'
import type { ChatRequest, Params } from '../../canonical/request.ts'
import type { JsonObject } from '../../canonical/values.ts'
import { thinkingConfigOf } from './thinking.ts'

type Config = Record<string, unknown>

/** Of a 32-bit number without its sign. */
const SEEDS = 0x8000_0000

/** @param asJson whether {@link ChatRequest.format} is asked for by the API's own means */
export function generationConfigOf(
  request: ChatRequest,
  model: string,
  asJson: boolean,
  dropped: Dropped,
): JsonObject | null {
  const { params, format, reasoning, parallelToolCalls } = request
  const config: Config = {}
  put(config, 'maxOutputTokens', params.maxTokens)
  put(config, 'temperature', params.temperature)
  put(config, 'topP', params.topP)
  put(config, 'topK', params.topK)
  if (params.stop !== null && params.stop.length > 0) config['stopSequences'] = params.stop
  if (params.choices !== null && params.choices !== 1) config['candidateCount'] = params.choices
  if (params.seed !== null) config['seed'] = Math.abs(params.seed) % SEEDS
  // Models that know no penalties refuse even those of none.
  if (params.presencePenalty !== 0) put(config, 'presencePenalty', params.presencePenalty)
  if (params.frequencyPenalty !== 0) put(config, 'frequencyPenalty', params.frequencyPenalty)
  if (params.logprobs === true) {
    config['responseLogprobs'] = true
    if (params.topLogprobs) config['logprobs'] = params.topLogprobs
  }
  if (asJson && format !== null && format.type !== 'text') {
    config['responseMimeType'] = 'application/json'
    if (format.type === 'schema') {
      const { $schema: _, ...schema } = format.schema
      config['responseJsonSchema'] = schema
    }
  }
  addModalities(config, params)
  if (reasoning !== null) {
    const thinking = thinkingConfigOf(reasoning, model)
    if (thinking === null) dropped.add('reasoning')
    else if (Object.keys(thinking).length > 0) config['thinkingConfig'] = thinking
  }
  if (parallelToolCalls === false && request.tools.length > 0) dropped.add('parallelToolCalls')
  dropHints(params, dropped)
  return Object.keys(config).length > 0 ? config : null
}

/** Speech is all that a model says that speaks. */
function addModalities(config: Config, { modalities, audio }: Params): void {
  const asked = modalities ?? []
  if (asked.includes('audio')) {
    config['responseModalities'] = ['AUDIO']
    const voiceName = audio?.['voice']
    if (typeof voiceName === 'string') {
      config['speechConfig'] = { voiceConfig: { prebuiltVoiceConfig: { voiceName } } }
    }
  } else if (asked.includes('image')) {
    config['responseModalities'] = asked.includes('text') ? ['TEXT', 'IMAGE'] : ['IMAGE']
  }
}

function dropHints({ logitBias, user, metadata, verbosity, promptCacheKey }: Params, dropped: Dropped): void {
  if (logitBias !== null && Object.keys(logitBias).length > 0) dropped.add('logitBias')
  if (user !== null) dropped.add('user')
  if (metadata !== null) dropped.add('metadata')
  if (verbosity !== null && verbosity !== 'medium') dropped.add('verbosity')
  if (promptCacheKey !== null) dropped.add('promptCacheKey')
}

function put(config: Config, name: string, value: unknown): void {
  if (value !== null) config[name] = value
}

/** As the body has it beside the others. @returns null: the API's own default, or nothing that it knows */
export function serviceTierOf({ serviceTier }: Params, dropped: Dropped): string | null {
  switch (serviceTier) {
    case null:
    case 'auto':
    case 'default':
    case 'standard':
      return null
    case 'standard_only':
      return 'standard'
    case 'flex':
    case 'priority':
      return serviceTier
    default:
      dropped.add('serviceTier')
      return null
  }
}
