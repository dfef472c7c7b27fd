import type { StoredStream } from '../../cache/answer.ts'
import { eventData, eventsIn } from '../../stream/events.ts'

/**
 * Whether a chat completion has its reader call tools or a function, in any of its choices; also where that cannot be said.
 * @param body JSON, or all events, latin1
 * @param stream null: it is JSON
 */
export function chatCallsTools(body: string, stream: StoredStream | null): boolean {
  if (!mayCall(body)) return false
  if (stream === null) return calls(body)
  for (const event of eventsIn(body)) if (eventCalls(event)) return true
  return false
}

function eventCalls(event: string): boolean {
  if (!mayCall(event)) return false
  const data = eventData(event)
  return data !== null && calls(data)
}

/** A small letter or `_`, escaped: a member's name may be spelt so. */
const ESCAPED_LETTER = /\\u00(?:5[fF]|[67])/

/** Quotes inside JSON strings are escaped, so that text which only speaks of "tool_calls" does not match. */
function mayCall(text: string): boolean {
  return text.includes('"tool_calls"') || text.includes('"function_call"') || ESCAPED_LETTER.test(text)
}

const ENDS_WITH_CALLS = new Set<unknown>(['tool_calls', 'function_call'])

function calls(json: string): boolean {
  let answer: unknown
  try {
    answer = JSON.parse(json)
  } catch {
    return true
  }
  const choices = member(answer, 'choices')
  return Array.isArray(choices) ? choices.some(choiceCalls) : says(choices)
}

function choiceCalls(choice: unknown): boolean {
  // Also of calls that stand where only that provider's readers look.
  if (ENDS_WITH_CALLS.has(member(choice, 'finish_reason'))) return true
  const message = member(choice, 'message')
  const delta = member(choice, 'delta')
  return [message, delta].some((part) => says(member(part, 'tool_calls')) || says(member(part, 'function_call')))
}

function says(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return Boolean(value)
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
