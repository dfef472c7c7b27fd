/** What a request says of its answer beside the conversation: limits, thinking, form. */
import { unsayable, wrong } from '../../canonical/problem.ts'
import { NO_PARAMS, type Effort, type Params, type Reasoning, type ResponseFormat } from '../../canonical/request.ts'
import { filledText, isObject, objectOf, type JsonObject } from '../../canonical/values.ts'
import { exactNumber, isRaw } from './exact-number.ts'
import { isClosed } from './schema.ts'

export function readParams(body: JsonObject): Params {
  const maxTokens = numberIn(body, 'max_tokens', 0, Number.MAX_SAFE_INTEGER)
  if (maxTokens === 0) throw unsayable('max_tokens', 'Only Anthropic reads a prompt into its cache without an answer.')
  const topK = numberIn(body, 'top_k', 0, Number.MAX_SAFE_INTEGER)
  return {
    ...NO_PARAMS,
    maxTokens,
    temperature: numberIn(body, 'temperature', 0, 1),
    topP: numberIn(body, 'top_p', 0, 1),
    topK: topK === 0 ? null : topK,
    stop: stopOf(body['stop_sequences']),
    user: filledText(objectOf(body['metadata'])['user_id']),
    serviceTier: tierOf(body['service_tier']),
  }
}

function numberIn(body: JsonObject, name: string, least: number, most: number): number | null {
  const value = body[name]
  if (value === undefined || value === null) return null
  const number = exactNumber(value)
  const whole = most > 1
  if (number === null || number < least || number > most || (whole && !Number.isInteger(number))) {
    throw wrong(name, `"${name}" has to be a ${whole ? 'whole number' : `number from ${least} to ${most}`}.`)
  }
  return number
}

function stopOf(value: unknown): readonly string[] | null {
  if (value === undefined || value === null) return null
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) {
    throw wrong('stop_sequences', '"stop_sequences" has to be a list of texts.')
  }
  return value.length === 0 ? null : value
}

/** In OpenAI's words, as all of them are. */
function tierOf(value: unknown): string | null {
  return value === 'standard_only' ? 'default' : filledText(value)
}

const EFFORTS: readonly unknown[] = ['low', 'medium', 'high', 'xhigh', 'max'] satisfies Effort[]

export function readReasoning({ thinking, output_config: config }: JsonObject): Reasoning | null {
  const told = objectOf(config)['effort'] ?? null
  if (told !== null && !EFFORTS.includes(told)) {
    throw wrong('output_config.effort', '"output_config.effort" has to be low, medium, high, xhigh or max.')
  }
  const effort = told as Effort | null
  if (thinking === undefined || thinking === null) {
    return effort === null ? null : { effort, budget: null, enabled: null, shown: null }
  }
  if (!isObject(thinking)) throw wrong('thinking', '"thinking" has to be an object.')
  const { type, budget_tokens: tokens, display } = thinking
  const shown = display === 'summarized' ? true : display === 'omitted' ? false : null
  switch (type) {
    case 'disabled':
      return { effort, budget: null, enabled: false, shown }
    case 'adaptive':
    case 'between_tools':
      return { effort, budget: null, enabled: true, shown }
    case 'enabled': {
      const budget = exactNumber(tokens)
      if (budget !== null && Number.isInteger(budget) && budget > 0) return { effort, budget, enabled: true, shown }
      throw wrong('thinking.budget_tokens', '"thinking.budget_tokens" has to be a whole number.')
    }
    default:
      throw wrong('thinking.type', '"thinking.type" has to be enabled, adaptive or disabled.')
  }
}

/** `output_config.format`, which was `output_format` before. */
export function readFormat({ output_config: config, output_format: before }: JsonObject): ResponseFormat | null {
  const format = objectOf(config)['format'] ?? before
  if (format === undefined || format === null) return null
  const at = objectOf(config)['format'] ? 'output_config.format' : 'output_format'
  if (!isObject(format) || format['type'] !== 'json_schema')
    throw wrong(`${at}.type`, `"${at}.type" has to be json_schema.`)
  const { schema } = format
  if (!isObject(schema) || isRaw(schema))
    throw wrong(`${at}.schema`, `"${at}.schema" has to be an object: a JSON Schema.`)
  return {
    type: 'schema',
    name: nameOf(schema['title']),
    description: filledText(schema['description']),
    schema,
    // OpenAI refuses to hold to a schema that leaves anything open.
    strict: isClosed(schema) ? true : null,
  }
}

/** OpenAI wants one. */
function nameOf(title: unknown): string {
  const name = typeof title === 'string' ? title.replace(/[^a-zA-Z0-9_-]+/g, '_').slice(0, 64) : ''
  return name.replace(/^_+$/, '') || 'answer'
}
