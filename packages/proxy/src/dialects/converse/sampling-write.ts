/** What guides a model's choice of words: what Converse has for all, and what each family has besides. */
import type { Dropped } from '../../canonical/dropped.ts'
import type { ChatRequest, Params } from '../../canonical/request.ts'
import type { JsonObject } from '../../canonical/values.ts'
import type { Family, Model } from './models.ts'

export interface WrittenSampling {
  readonly inferenceConfig: JsonObject
  /** For `additionalModelRequestFields`. */
  readonly fields: JsonObject
}

type Extra = 'topK' | 'seed' | 'frequencyPenalty' | 'presencePenalty'
const EXTRAS: readonly Extra[] = ['topK', 'seed', 'frequencyPenalty', 'presencePenalty']

/** By their own names (Bedrock's guide "Inference request parameters and response fields"). */
const OF_FAMILIES: Readonly<Partial<Record<Family, Readonly<Partial<Record<Extra, string>>>>>> = {
  claude: { topK: 'top_k' },
  mistral: { topK: 'top_k' },
  cohere: { topK: 'k', seed: 'seed', frequencyPenalty: 'frequency_penalty', presencePenalty: 'presence_penalty' },
  ai21: { frequencyPenalty: 'frequency_penalty', presencePenalty: 'presence_penalty' },
}

/** Of Converse; OpenAI's reaches to 2. */
const HOTTEST = 1
/** While Claude thinks it takes none below. */
const LEAST_TOP_P_IN_THOUGHT = 0.95

/** @param thinking whether the model is told to think, and with what */
export function writeSampling(
  request: ChatRequest,
  model: Model,
  thinking: JsonObject,
  dropped: Dropped,
): WrittenSampling {
  const { params } = request
  const taken = takenBy(model, thinking, params)
  const inferenceConfig: Record<string, unknown> = {}
  const maxTokens = told('maxTokens', taken, params, dropped)
  const temperature = told('temperature', taken, params, dropped)
  const topP = told('topP', taken, params, dropped)
  const stop = stopOf(params.stop, dropped)
  if (maxTokens !== null) inferenceConfig['maxTokens'] = maxTokens
  if (temperature !== null) inferenceConfig['temperature'] = Math.min(temperature, HOTTEST)
  if (topP !== null) inferenceConfig['topP'] = topP
  if (stop !== null) inferenceConfig['stopSequences'] = stop
  const fields: Record<string, unknown> = {}
  const names = OF_FAMILIES[model.family] ?? {}
  for (const extra of EXTRAS) {
    const value = told(extra, taken, params, dropped)
    if (value === null) continue
    if (extra === 'topK' && (model.family === 'nova' || model.family === 'nova2'))
      fields['inferenceConfig'] = { topK: value }
    else if (names[extra] !== undefined) fields[names[extra]] = value
    else if (value !== 0 || extra === 'seed') dropped.add(extra)
  }
  return { inferenceConfig, fields }
}

type Guide = Extra | 'maxTokens' | 'temperature' | 'topP'

/** Which of them the model takes as it is told to think. */
function takenBy(
  { claude, family }: Model,
  thinking: JsonObject,
  params: Params,
): (name: Guide, value: number) => boolean {
  const on = Object.keys(thinking).length > 0
  if (claude !== null) {
    if (!claude.sampling) return noSampling
    if (on) return inThought
    return !claude.bothSampling && params.temperature !== null ? noTopP : all
  }
  return family === 'nova2' && on && JSON.stringify(thinking).includes('"high"') ? onlyExtras : all
}

function all(): boolean {
  return true
}

function noTopP(name: Guide): boolean {
  return name !== 'topP'
}

function noSampling(name: Guide): boolean {
  return name !== 'temperature' && name !== 'topP' && name !== 'topK'
}

function inThought(name: Guide, value: number): boolean {
  if (name === 'temperature') return value === 1
  return name === 'topP' ? value >= LEAST_TOP_P_IN_THOUGHT : name !== 'topK'
}

/** Nova that thinks its most sets all bounds of itself. */
function onlyExtras(name: Guide): boolean {
  return name !== 'maxTokens' && name !== 'temperature' && name !== 'topP' && name !== 'topK'
}

function told(
  name: Guide,
  taken: (name: Guide, value: number) => boolean,
  params: Params,
  dropped: Dropped,
): number | null {
  const value = params[name]
  if (value === null || taken(name, value)) return value
  // Where it is what the model does of itself, nothing is lost.
  if (!(value === 1 && (name === 'temperature' || name === 'topP'))) dropped.add(name)
  return null
}

/** Those that are blank Bedrock refuses. */
function stopOf(stop: readonly string[] | null, dropped: Dropped): readonly string[] | null {
  const filled = stop?.filter((one) => one.trim() !== '') ?? []
  if (stop !== null && filled.length < stop.length) dropped.add('stop')
  return filled.length === 0 ? null : filled
}
