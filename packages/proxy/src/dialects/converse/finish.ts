/** Why an answer of Converse ends (its API reference, "StopReason"). */
import type { Finish, FinishReason } from '../../canonical/answer.ts'
import { filledText, objectOf } from '../../canonical/values.ts'
import type { Memo } from './request-write.ts'

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  tool_use: 'tool_calls',
  max_tokens: 'length',
  stop_sequence: 'stop_sequence',
  guardrail_intervened: 'content_filter',
  content_filtered: 'content_filter',
  malformed_model_output: 'error',
  malformed_tool_use: 'error',
  model_context_window_exceeded: 'context_length',
  // Of Claude's own.
  refusal: 'refusal',
  pause_turn: 'pause',
}

/** @param fields `additionalModelResponseFields`, in which Claude tells which sequence has stopped it */
export function readFinish(stopReason: unknown, fields: unknown, { stop }: Memo): Finish {
  const own = filledText(stopReason)
  const reason = own !== null && Object.hasOwn(REASONS, own) ? REASONS[own]! : 'unknown'
  if (reason !== 'stop_sequence') return { reason, own, stopSequence: null }
  const { delta, stop_sequence: sequence } = objectOf(fields)
  return { reason, own, stopSequence: filledText(objectOf(delta)['stop_sequence']) ?? filledText(sequence) ?? stop }
}
