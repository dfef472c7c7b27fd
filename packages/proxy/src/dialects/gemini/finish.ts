import type { Finish, FinishReason } from '../../canonical/answer.ts'

/** By what Gemini calls them (its API reference, "FinishReason" and "BlockReason"). */
const REASONS: Readonly<Record<string, FinishReason>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  LANGUAGE: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  IMAGE_PROHIBITED_CONTENT: 'content_filter',
  IMAGE_RECITATION: 'content_filter',
  MODEL_ARMOR: 'content_filter',
  JAILBREAK: 'content_filter',
  MALFORMED_FUNCTION_CALL: 'error',
  MALFORMED_RESPONSE: 'error',
  UNEXPECTED_TOOL_CALL: 'error',
  TOO_MANY_TOOL_CALLS: 'error',
  MISSING_THOUGHT_SIGNATURE: 'error',
}

/** @param calls whether tools are called: the API has no word for that */
export function finishOf(own: string, calls: boolean): Finish {
  const reason = Object.hasOwn(REASONS, own) ? REASONS[own]! : 'unknown'
  return { reason: reason === 'stop' && calls ? 'tool_calls' : reason, own, stopSequence: null }
}

/** The prompt itself was refused, for whatever reason. */
export function blockedFinish(own: string): Finish {
  return { reason: 'content_filter', own, stopSequence: null }
}
