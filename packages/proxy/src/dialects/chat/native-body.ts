/**
 * What other providers thought, as this gateway gave it to the client, leaves the conversation before it gets to a provider of
 * chat completions: some refuse members that they don't know, and none of them could read it.
 */
import { isSealed } from '../../canonical/signature.ts'
import { isObject, listOf, type JsonObject } from '../../canonical/values.ts'

/** By which answers tell of thoughts: DeepSeek's, OpenRouter's, LiteLLM's. */
const THOUGHTS = ['reasoning_details', 'reasoning_content', 'reasoning', 'thinking_blocks'] as const

/** @returns the messages without them; null: there are none */
export function withoutForeignThoughts(messages: unknown): unknown[] | null {
  if (!Array.isArray(messages)) return null
  let found = false
  const kept = messages.map((message: unknown) => {
    if (!isObject(message) || !hasForeign(message)) return message
    found = true
    return Object.fromEntries(Object.entries(message).filter(([name]) => !THOUGHTS.some((thought) => thought === name)))
  })
  return found ? kept : null
}

function hasForeign(message: JsonObject): boolean {
  return [...listOf(message['reasoning_details']), ...listOf(message['thinking_blocks'])].some(
    (detail) => isObject(detail) && (isSealed(detail['signature']) || isSealed(detail['data'])),
  )
}
