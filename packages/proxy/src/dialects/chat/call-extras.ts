/** What signs a call of a tool: Gemini's own compatible API has it beside the function. */
import type { Signature } from '../../canonical/content.ts'
import { filledText, objectOf, type JsonObject } from '../../canonical/values.ts'

/** @returns null: nothing signs it */
export function callSignature(call: JsonObject): Signature | null {
  const value = filledText(objectOf(objectOf(call['extra_content'])['google'])['thought_signature'])
  return value === null ? null : { origin: 'gemini', value }
}

/** Nothing for what another API has signed. */
export function callExtras(signature: Signature | undefined): object {
  return signature?.origin === 'gemini' ? { extra_content: { google: { thought_signature: signature.value } } } : {}
}
