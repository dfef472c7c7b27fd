/** An answer of `/v1/embeddings`: its usage is read and its model renamed; vectors are not looked at. */
import { NO_USAGE, type TokenUsage } from '@millrace/shared'

import { isObject, isTokenCount, jsonOf } from '../../canonical/values.ts'
import { findMembers, replaceAll, splice, utf8FromLatin1, type Range } from '../../stream/json.ts'
import type { InBandError, ReadAnswer } from '../../stream/observed.ts'

const MEMBERS = new Set(['model', 'usage', 'error', 'data'])

/**
 * @param text the answer's bytes as latin1
 * @param model the name that the client asked for, as a JSON literal in latin1
 * @returns the answer; or an error that the provider sent with a status of success; or null if there are no embeddings
 */
export function readEmbeddingAnswer(text: string, model: string): ReadAnswer | InBandError | null {
  const members = findMembers(text, MEMBERS)
  if (members === null) return null
  const data = members.get('data')?.at(-1)
  if (data === undefined || text[data.start] !== '[') {
    const error = valueAt(text, members.get('error')?.at(-1))
    return error ? errorOf(error) : null
  }
  return {
    body: splice(text, replaceAll(members.get('model') ?? [], model)),
    usage: readUsage(valueAt(text, members.get('usage')?.at(-1))),
    // Vectors are no tokens.
    contentLength: 0,
  }
}

/** @returns null for anything that has no token counts */
function readUsage(value: unknown): TokenUsage | null {
  if (!isObject(value)) return null
  const { prompt_tokens: prompt, total_tokens: total } = value
  const inputTokens = isTokenCount(prompt) ? prompt : isTokenCount(total) ? total : null
  if (inputTokens === null) return null
  return { ...NO_USAGE, inputTokens, source: 'PROVIDER' }
}

/** The source was decoded as latin1. */
function errorOf(error: unknown): InBandError {
  const { message, type, code } = isObject(error) ? error : { message: error, type: null, code: null }
  return { message: latin1Text(message) ?? 'unknown error', type: latin1Text(type), code: latin1Text(code) }
}

function latin1Text(value: unknown): string | null {
  return typeof value === 'string' ? utf8FromLatin1(value) : null
}

function valueAt(text: string, range: Range | undefined): unknown {
  return range && jsonOf(text.slice(range.start, range.end))
}
