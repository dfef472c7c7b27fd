/**
 * What other providers thought, as this gateway gave it to the client, leaves the conversation before it gets to a provider of
 * chat completions: some refuse members that they don't know, and none of them could read it.
 */
import { isObject, listOf, type JsonObject } from '../../canonical/values.ts'

/** By which answers tell of thoughts: DeepSeek's, OpenRouter's, LiteLLM's. */
const THOUGHTS = ['reasoning_details', 'reasoning_content', 'reasoning', 'thinking_blocks'] as const

/** Whether it may have any. @param text the body, latin1 */
export function mayHoldForeignThoughts(text: string): boolean {
  return text.includes('"mr1.')
}

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
    (detail) => isObject(detail) && (isForeign(detail['signature']) || isForeign(detail['data'])),
  )
}

function isForeign(text: unknown): boolean {
  return typeof text === 'string' && text.startsWith('mr1.')
}
