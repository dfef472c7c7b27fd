/** A streamed response said whole: the event that ends it has all of it. */
import { eventData, eventName, eventsIn } from '../../stream/events.ts'
import { unlessRefused } from '../../stream/json-fold.ts'
import { readMembers } from '../../stream/json-source.ts'

const ENDS: ReadonlySet<string> = new Set(['"response.completed"', '"response.incomplete"'])
const FAILS: ReadonlySet<string> = new Set(['"error"', '"response.failed"'])

/**
 * @param events all events of a stream, latin1
 * @returns JSON, latin1; null unless the stream is whole, without an error
 */
export function foldResponsesStream(events: string): string | null {
  return unlessRefused(() => lastResponse(events))
}

function lastResponse(events: string): string | null {
  let whole: string | null = null
  let said = false
  for (const event of eventsIn(events)) {
    const data = eventData(event)
    if (data === null || data === '' || data.trim() === '[DONE]') continue
    const members = readMembers(data)
    const type = members.get('type') ?? JSON.stringify(eventName(event))
    if (FAILS.has(type)) return null
    if (type.endsWith('.delta"')) said = true
    if (ENDS.has(type)) whole = members.get('response') ?? null
  }
  if (whole === null) return null
  const output = readMembers(whole).get('output')
  // Where the end does not repeat what was said, it is not all of it.
  if (output === undefined || (said && /^\[\s*\]$/.test(output))) return null
  JSON.parse(whole)
  return whole
}
