import type { Finish, FinishReason } from '../../canonical/answer.ts'
import type { JsonObject } from '../../canonical/values.ts'

/** OpenAI's words, and those of compatible providers: Mistral's `model_length`, Together's `eos`, Z.ai's `sensitive`, … */
const REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  eos: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop_sequence',
  length: 'length',
  max_tokens: 'length',
  model_length: 'context_length',
  model_context_window_exceeded: 'context_length',
  tool_calls: 'tool_calls',
  tool_call: 'tool_calls',
  tool_use: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
  sensitive: 'content_filter',
  safety: 'content_filter',
  refusal: 'refusal',
  error: 'error',
  network_error: 'error',
  abort: 'error',
  insufficient_system_resource: 'error',
}

/** Which of the client's texts ended a choice, or which token: vLLM's `stop_reason`, SGLang's `matched_stop`. */
export function matchedIn({ stop_reason: vllm, matched_stop: sglang }: JsonObject): unknown {
  return vllm ?? sglang
}

/**
 * @param own a chunk's or choice's `finish_reason`
 * @param matched as {@link matchedIn} has it
 */
export function readFinish(own: string, matched: unknown, calls: boolean, refused: boolean): Finish {
  const known = Object.hasOwn(REASONS, own) ? REASONS[own]! : 'unknown'
  const stopSequence = known === 'stop' && typeof matched === 'string' && matched !== '' ? matched : null
  return { reason: reasonOf(known, stopSequence, calls, refused), own, stopSequence }
}

/** Some say `stop` though they call tools. */
function reasonOf(known: FinishReason, stopSequence: string | null, calls: boolean, refused: boolean): FinishReason {
  if (known !== 'stop') return known
  if (calls) return 'tool_calls'
  if (refused) return 'refusal'
  return stopSequence === null ? 'stop' : 'stop_sequence'
}

export type FinishWord = 'stop' | 'length' | 'tool_calls' | 'content_filter'

/** In OpenAI's words, of which there are few. @param refused whether a refusal was said as such */
export function finishWord({ reason }: Finish, refused: boolean): FinishWord {
  switch (reason) {
    case 'length':
    case 'context_length':
      return 'length'
    case 'tool_calls':
      return 'tool_calls'
    case 'content_filter':
      return 'content_filter'
    case 'refusal':
      return refused ? 'stop' : 'content_filter'
    default:
      return 'stop'
  }
}
