/** Why an answer ends: the Messages API's `stop_reason`. */
import type { Finish, FinishReason } from '../../canonical/answer.ts'
import { filledText } from '../../canonical/values.ts'

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  max_tokens: 'length',
  stop_sequence: 'stop_sequence',
  tool_use: 'tool_calls',
  pause_turn: 'pause',
  refusal: 'refusal',
  model_context_window_exceeded: 'context_length',
}

const WORDS: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  stop_sequence: 'stop_sequence',
  length: 'max_tokens',
  context_length: 'model_context_window_exceeded',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
  refusal: 'refusal',
  pause: 'pause_turn',
  error: 'end_turn',
  unknown: 'end_turn',
}

/** @param reason as the API says it; anything else: it does not say */
export function readFinish(reason: unknown, sequence: unknown): Finish {
  const own = filledText(reason)
  const known = own !== null && Object.hasOwn(REASONS, own) ? REASONS[own]! : 'unknown'
  return { reason: known, own, stopSequence: filledText(sequence) }
}

/** What was said, as far as it decides why the answer ends: some providers say `stop` of every answer. */
export interface Said {
  readonly tools: boolean
  readonly refused: boolean
}

/** The API's members that tell how an answer ended. */
export function finishMembers({ reason, stopSequence }: Finish, { tools, refused }: Said): Record<string, unknown> {
  let word = WORDS[reason]
  if (word === 'end_turn' && tools) word = 'tool_use'
  else if (word === 'end_turn' && refused) word = 'refusal'
  // OpenAI's API, like others, does not tell which sequence it was.
  if (word === 'stop_sequence' && stopSequence === null) word = 'end_turn'
  const details = word === 'refusal' ? { type: 'refusal', category: null, explanation: null } : null
  return { stop_reason: word, stop_sequence: word === 'stop_sequence' ? stopSequence : null, stop_details: details }
}
