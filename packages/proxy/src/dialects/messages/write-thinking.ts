/** How much the model is to think, in the words that it knows. */
import type { Abilities } from '../../canonical/claude.ts'
import { budgetWithin, effortIn, isOff, isUntold } from '../../canonical/reasoning.ts'
import type { Effort, Reasoning } from '../../canonical/request.ts'
import type { JsonObject } from '../../canonical/values.ts'

export interface WrittenThinking {
  /** Null: it is left to the model. */
  readonly thinking: JsonObject | null
  readonly effort: string | null
  /** Whether the model thinks, as far as it was told to. */
  readonly on: boolean
  /** Whether what the client asked for could not be said. */
  readonly dropped: boolean
}

const UNTOLD: WrittenThinking = { thinking: null, effort: null, on: false, dropped: false }
const DROPPED: WrittenThinking = { ...UNTOLD, dropped: true }

/**
 * @param maxTokens of the answer, thinking included
 * @param possible whether the request's other wishes leave room for thinking that is asked for
 */
export function writeThinking(
  reasoning: Reasoning | null,
  abilities: Abilities,
  maxTokens: number,
  possible: boolean,
): WrittenThinking {
  if (reasoning === null) return UNTOLD
  if (isOff(reasoning)) return off(reasoning.effort, abilities)
  if (isUntold(reasoning)) return UNTOLD
  if (!possible || abilities.thinking === 'never') return DROPPED
  return abilities.thinking === 'adaptive' ? adaptive(reasoning, abilities) : budgeted(reasoning, maxTokens)
}

function off(effort: Effort | null, { thinkingOff, thinking }: Abilities): WrittenThinking {
  if (thinkingOff === 'never') return { ...DROPPED, effort: 'low' }
  // More than `high` is not taken where thinking is disabled.
  const kept = thinking === 'adaptive' && (effort === 'low' || effort === 'medium' || effort === 'high') ? effort : null
  return { ...UNTOLD, thinking: thinkingOff === 'unasked' ? null : { type: thinkingOff }, effort: kept }
}

function adaptive(reasoning: Reasoning, { xhigh, hides }: Abilities): WrittenThinking {
  const { shown } = reasoning
  const display = hides && shown !== false ? { display: 'summarized' } : shown === false ? { display: 'omitted' } : {}
  return {
    thinking: { type: 'adaptive', ...display },
    effort: effortWord(effortIn(reasoning), xhigh),
    on: true,
    dropped: false,
  }
}

function effortWord(effort: Effort | null, xhigh: boolean): string | null {
  if (effort === 'minimal') return 'low'
  if (effort === 'xhigh' && !xhigh) return 'high'
  return effort
}

function budgeted(reasoning: Reasoning, maxTokens: number): WrittenThinking {
  const tokens = budgetWithin(reasoning, maxTokens)
  if (tokens === null) return DROPPED
  return { thinking: { type: 'enabled', budget_tokens: tokens }, effort: null, on: true, dropped: false }
}
