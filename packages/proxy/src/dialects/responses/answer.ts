/** A whole, unstreamed response: its usage is read and its model renamed; every other byte stays. */
import { jsonOf } from '../../canonical/values.ts'
import { findMembers, replaceAll, splice, utf8FromLatin1 } from '../../stream/json.ts'
import type { InBandError, ReadAnswer } from '../../stream/observed.ts'
import { readResponseError } from './errors.ts'
import { readResponseUsage } from './usage.ts'

const MEMBERS = new Set(['model', 'usage', 'error', 'output'])

/**
 * @param text the answer's bytes as latin1
 * @param model the name that the client asked for, as a JSON literal in latin1
 * @returns the answer; or an error that the provider sent with a status of success; or null if it is no response
 */
export function readResponseAnswer(text: string, model: string): ReadAnswer | InBandError | null {
  const members = findMembers(text, MEMBERS)
  if (members === null) return null
  const valueOf = (name: string): unknown => {
    const range = members.get(name)?.at(-1)
    return range && jsonOf(text.slice(range.start, range.end))
  }
  const error = valueOf('error')
  if (error != null) {
    const { message, type, code } = readResponseError(error)
    return { message: utf8FromLatin1(message), type, code }
  }
  const output = members.get('output')?.at(-1)
  if (!output || text[output.start] !== '[') return null
  return {
    body: splice(text, replaceAll(members.get('model') ?? [], model)),
    usage: readResponseUsage(valueOf('usage')),
    contentLength: output.end - output.start,
  }
}
