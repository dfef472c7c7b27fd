/**
 * What OpenAI did not encrypt, it refuses: thoughts that other providers had, as this gateway gave them to the client, leave the
 * conversation before it gets to OpenAI.
 */
import { isObject } from '../../canonical/values.ts'
import { isForeign } from './reasoning-seal.ts'

/** @returns the input without them; null: there are none */
export function withoutForeignThoughts(input: unknown): unknown[] | null {
  if (!Array.isArray(input)) return null
  const kept = input.filter(
    (item: unknown) => !(isObject(item) && item['type'] === 'reasoning' && isForeign(item['encrypted_content'])),
  )
  return kept.length === input.length ? null : kept
}
