/** A whole, unstreamed chat completion: its usage is read and its model renamed; every other byte stays. */
import { jsonOf } from '../../canonical/values.ts'
import { findMembers, replaceAll, splice, utf8FromLatin1 } from '../../stream/json.ts'
import type { InBandError, ReadAnswer } from '../../stream/observed.ts'
import { readChatUsage } from './usage.ts'

const MEMBERS = new Set(['model', 'usage', 'error', 'choices'])

/**
 * @param text the answer's bytes as latin1
 * @param model the name that the client asked for, as a JSON literal in latin1
 * @returns the answer; or an error that the provider sent with a status of success; or null if it is no chat completion
 */
export function readChatAnswer(text: string, model: string): ReadAnswer | InBandError | null {
  const members = findMembers(text, MEMBERS)
  if (members === null) return null
  const choices = members.get('choices')?.at(-1)
  if (!choices) {
    const error = members.get('error')?.at(-1)
    return error ? inBandError(jsonOf(text.slice(error.start, error.end))) : null
  }
  const usage = members.get('usage')?.at(-1)
  return {
    body: splice(text, replaceAll(members.get('model') ?? [], model)),
    usage: usage ? readChatUsage(jsonOf(text.slice(usage.start, usage.end))) : null,
    contentLength: choices.end - choices.start,
  }
}

/** Reads OpenAI's error object, or what others put in its place. The source was decoded as latin1. */
export function inBandError(error: unknown): InBandError {
  if (typeof error === 'string') return { message: utf8FromLatin1(error), type: null, code: null }
  if (typeof error !== 'object' || error === null) return { message: 'unknown error', type: null, code: null }
  const { error: nested } = error as Record<string, unknown>
  const { message, type, code } = (typeof nested === 'object' && nested !== null ? nested : error) as Record<
    string,
    unknown
  >
  return {
    message: textOf(message) ?? 'unknown error',
    type: textOf(type),
    code: typeof code === 'number' ? String(code) : textOf(code),
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? utf8FromLatin1(value) : null
}
