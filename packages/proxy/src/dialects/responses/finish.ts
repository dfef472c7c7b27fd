/** How responses end: by a status, and of what is incomplete, why. */
import type { Finish, FinishReason } from '../../canonical/answer.ts'
import { type JsonObject, isObject } from '../../canonical/values.ts'
import { stringOf } from './values.ts'

/** @returns null: it has not ended */
export function readFinish(response: JsonObject, calls: boolean, refused: boolean): Finish | null {
  const { status, incomplete_details: details } = response
  if (status === 'incomplete') {
    const own = isObject(details) ? stringOf(details['reason']) : null
    return { reason: INCOMPLETE[own ?? ''] ?? 'length', own, stopSequence: null }
  }
  // Servers that only resemble OpenAI's leave the status out.
  if (status !== 'completed' && status != null) return null
  const reason = refused ? 'refusal' : calls ? 'tool_calls' : 'stop'
  return { reason, own: stringOf(status), stopSequence: null }
}

/** Whatever else cuts an answer short, it is not whole. */
const INCOMPLETE: Readonly<Record<string, FinishReason>> = {
  max_output_tokens: 'length',
  max_tokens: 'length',
  content_filter: 'content_filter',
}

export interface Ending {
  readonly status: 'completed' | 'incomplete' | 'failed'
  /** Of what is incomplete. */
  readonly reason: 'max_output_tokens' | 'content_filter' | null
}

/** @param refused whether the answer says that the model would not: then it is whole */
export function endingOf(reason: FinishReason, refused: boolean): Ending {
  switch (reason) {
    case 'length':
    case 'context_length':
      return { status: 'incomplete', reason: 'max_output_tokens' }
    case 'content_filter':
      return { status: 'incomplete', reason: 'content_filter' }
    case 'refusal':
      return refused ? { status: 'completed', reason: null } : { status: 'incomplete', reason: 'content_filter' }
    case 'error':
      return { status: 'failed', reason: null }
    default:
      return { status: 'completed', reason: null }
  }
}
