/** The body of `/v1/embeddings` (OpenAI's API reference, "Create embeddings"). */
import { wrong } from '../../canonical/problem.ts'
import type { EmbeddingRequest } from '../../canonical/request.ts'
import type { JsonObject } from '../../canonical/values.ts'

const READ: ReadonlySet<string> = new Set(['model', 'input', 'encoding_format', 'dimensions', 'user'])
const NAMED = { input: 'input', dimensions: 'dimensions', encoding: 'encoding_format', user: 'user' }

/** @throws GatewayError param_not_allowed */
export function readEmbeddingRequest(body: JsonObject): EmbeddingRequest {
  const { user } = body
  if (user != null && typeof user !== 'string') throw wrong('user', '"user" has to be a text.')
  return {
    kind: 'embeddings',
    input: inputOf(body['input']),
    dimensions: dimensionsOf(body['dimensions']),
    encoding: encodingOf(body['encoding_format']),
    user: user ?? null,
    named: NAMED,
    unknown: Object.keys(body).filter((name) => !READ.has(name) && body[name] !== null),
  }
}

function inputOf(input: unknown): EmbeddingRequest['input'] {
  if (typeof input === 'string') return [textOf(input, 'input')]
  if (!Array.isArray(input) || input.length === 0) {
    throw wrong('input', '"input" has to be a text, a list of texts, a list of tokens, or a list of such lists.')
  }
  if (typeof input[0] === 'number') return [tokensOf(input, 'input')]
  return input.map((one, i) => {
    const param = `input[${i}]`
    return Array.isArray(one) ? tokensOf(one, param) : textOf(one, param)
  })
}

function textOf(value: unknown, param: string): string {
  if (typeof value !== 'string') throw wrong(param, `"${param}" has to be a text or a list of tokens.`)
  if (value === '') throw wrong(param, `"${param}" must not be empty.`)
  return value
}

function tokensOf(value: readonly unknown[], param: string): readonly number[] {
  if (value.length === 0 || !value.every(isToken)) throw wrong(param, `"${param}" has to be a list of tokens.`)
  return value
}

function isToken(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function dimensionsOf(value: unknown): number | null {
  if (value == null) return null
  if (!Number.isSafeInteger(value) || Number(value) < 1) {
    throw wrong('dimensions', '"dimensions" has to be a whole number of at least 1.')
  }
  return Number(value)
}

function encodingOf(value: unknown): EmbeddingRequest['encoding'] {
  if (value == null || value === 'float') return 'float'
  if (value === 'base64') return value
  throw wrong('encoding_format', '"encoding_format" has to be "float" or "base64".')
}
