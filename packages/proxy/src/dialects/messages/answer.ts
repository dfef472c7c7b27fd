/** Whole answers as they pass: a message's usage is read and its model renamed, every other byte stays. */
import { isObject, jsonOf } from '../../canonical/values.ts'
import { findMembers, replaceAll, splice, utf8FromLatin1 } from '../../stream/json.ts'
import type { InBandError, ReadAnswer } from '../../stream/observed.ts'
import { readErrorObject } from './answer-read.ts'
import { readUsage } from './usage.ts'

const MEMBERS = new Set(['model', 'usage', 'error', 'content'])
const COUNT = new Set(['input_tokens', 'error'])

/**
 * @param text the answer's bytes as latin1
 * @param model the name that the client asked for, as a JSON literal in latin1
 * @returns the answer; or an error that came with a status of success; or null if it is no message
 */
export function readMessageBytes(text: string, model: string): ReadAnswer | InBandError | null {
  const members = findMembers(text, MEMBERS)
  if (members === null) return null
  const content = members.get('content')?.at(-1)
  if (!content || text[content.start] !== '[') return members.has('error') ? errorIn(text) : null
  const usage = members.get('usage')?.at(-1)
  return {
    body: splice(text, replaceAll(members.get('model') ?? [], model)),
    usage: usage ? readUsage(jsonOf(text.slice(usage.start, usage.end))) : null,
    contentLength: content.end - content.start,
  }
}

/** The same of an answer that tells how many tokens a request has. */
export function readCountBytes(text: string): ReadAnswer | InBandError | null {
  const members = findMembers(text, COUNT)
  if (members === null) return null
  if (members.has('input_tokens')) return { body: text, usage: null, contentLength: 0 }
  return members.has('error') ? errorIn(text) : null
}

function errorIn(text: string): InBandError | null {
  const value = jsonOf(utf8FromLatin1(text))
  return isObject(value) ? readErrorObject(value) : null
}
