/**
 * What Anthropic did not sign, it refuses: what other providers thought and cited, as this gateway gave it to the client, leaves
 * the conversation before it gets to Anthropic.
 */
import { isSealed, mayHoldSealed } from '../../canonical/signature.ts'
import { isObject, listOf } from '../../canonical/values.ts'

const UNSIGNED_CITATION = /"encrypted_index"\s*:\s*""/

/** Whether it may have anything of that. @param text the body, latin1 */
export function mayHoldForeign(text: string): boolean {
  return mayHoldSealed(text) || UNSIGNED_CITATION.test(text)
}

/** @returns the messages without it; null: there is nothing of it */
export function withoutForeign(messages: unknown): unknown[] | null {
  if (!Array.isArray(messages)) return null
  let found = false
  const kept = messages.flatMap((message: unknown) => {
    if (!isObject(message) || message['role'] !== 'assistant' || !Array.isArray(message['content'])) return [message]
    const before: unknown[] = message['content']
    const content = before.filter((block) => !isForeignThought(block)).map(withoutForeignCitations)
    if (content.length === before.length && content.every((block, i) => block === before[i])) return [message]
    found = true
    return content.length === 0 ? [] : [{ ...message, content }]
  })
  return found ? kept : null
}

/** Whether another provider than Anthropic has thought it. */
export function isForeignThought(block: unknown): boolean {
  if (!isObject(block)) return false
  if (block['type'] === 'thinking') return isSealed(block['signature'])
  return block['type'] === 'redacted_thinking' && isSealed(block['data'])
}

function withoutForeignCitations(block: unknown): unknown {
  if (!isObject(block) || block['type'] !== 'text') return block
  const citations = listOf(block['citations'])
  const own = citations.filter((citation) => !isObject(citation) || citation['encrypted_index'] !== '')
  if (own.length === citations.length) return block
  const { citations: _, ...rest } = block
  return own.length === 0 ? rest : { ...rest, citations: own }
}
