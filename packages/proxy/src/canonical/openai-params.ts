/** Parameters as OpenAI's chat completions and its completions name them. */
import { wrong } from './problem.ts'
import { NO_PARAMS, type ParamName, type Params } from './request.ts'
import { filledText, isObject, type JsonObject } from './values.ts'

export type Named = Partial<Record<ParamName, string>>

/** Numbers and words, by their canonical names. Of several names the first that is given counts. */
const NUMBERS = [
  ['maxTokens', 'max_completion_tokens', 'max_tokens'],
  ['temperature', 'temperature'],
  ['topP', 'top_p'],
  ['topK', 'top_k'],
  ['seed', 'seed'],
  ['choices', 'n'],
  ['frequencyPenalty', 'frequency_penalty'],
  ['presencePenalty', 'presence_penalty'],
  ['topLogprobs', 'top_logprobs'],
] as const
const TEXTS = [
  ['user', 'user', 'safety_identifier'],
  ['serviceTier', 'service_tier'],
  ['verbosity', 'verbosity'],
  ['promptCacheKey', 'prompt_cache_key'],
] as const
const OBJECTS = [
  ['logitBias', 'logit_bias'],
  ['metadata', 'metadata'],
  ['audio', 'audio'],
] as const

/** All their names. */
export const OPENAI_PARAMS: readonly string[] = [
  ...[...NUMBERS, ...TEXTS, ...OBJECTS].flatMap(([, ...names]) => names),
  'stop',
  'logprobs',
  'modalities',
]

/** @param named gets the client's name of each that is there @throws GatewayError param_not_allowed */
export function readOpenAiParams(body: JsonObject, named: Named): Params {
  const params: { -readonly [K in keyof Params]: Params[K] } = { ...NO_PARAMS }
  for (const [param, ...names] of NUMBERS) {
    const name = names.find((each) => given(body, each))
    if (name === undefined) continue
    params[param] = numberAt(body, name)
    named[param] = name
  }
  for (const [param, ...names] of TEXTS) {
    const name = names.find((each) => given(body, each))
    if (name === undefined) continue
    params[param] = textAt(body, name)
    named[param] = name
  }
  for (const [param, name] of OBJECTS) {
    if (!given(body, name)) continue
    const value = body[name]
    if (!isObject(value)) throw wrong(name, `"${name}" has to be an object.`)
    params[param] = value as never
    named[param] = name
  }
  params.logprobs = flag(body, 'logprobs')
  if (params.logprobs !== null) named.logprobs = 'logprobs'
  params.modalities = wordsAt(body, 'modalities')
  if (params.modalities !== null) named.modalities = 'modalities'
  params.stop = typeof body['stop'] === 'string' ? [body['stop']] : wordsAt(body, 'stop')
  if (params.stop !== null) named.stop = 'stop'
  if (params.maxTokens !== null && params.maxTokens < 1)
    throw wrong(named.maxTokens!, `"${named.maxTokens}" has to be 1 or more.`)
  if (params.choices !== null && (params.choices < 1 || !Number.isInteger(params.choices))) {
    throw wrong('n', '"n" has to be a whole number, 1 or more.')
  }
  return params
}

export function given(body: JsonObject, name: string): boolean {
  return body[name] !== undefined && body[name] !== null
}

function numberAt(body: JsonObject, name: string): number {
  const value = body[name]
  if (typeof value !== 'number') throw wrong(name, `"${name}" has to be a number.`)
  return value
}

function textAt(body: JsonObject, name: string): string | null {
  const value = body[name]
  if (typeof value !== 'string') throw wrong(name, `"${name}" has to be a text.`)
  return filledText(value)
}

export function flag(body: JsonObject, name: string): boolean | null {
  const value = body[name] ?? null
  if (value !== null && typeof value !== 'boolean') throw wrong(name, `"${name}" has to be true or false.`)
  return value
}

function wordsAt(body: JsonObject, name: string): readonly string[] | null {
  const value = body[name] ?? null
  if (value === null) return null
  if (!Array.isArray(value) || !value.every((word) => typeof word === 'string')) {
    throw wrong(name, `"${name}" has to be a text or a list of texts.`)
  }
  return value.length === 0 ? null : value
}
