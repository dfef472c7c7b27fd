/** How much is to be thought, as each family of models is told it: Converse itself has but the effort. */
import type { Abilities } from '../../canonical/claude.ts'
import { budgetWithin, effortIn, isOff, isUntold } from '../../canonical/reasoning.ts'
import type { ChatRequest, Effort, Reasoning } from '../../canonical/request.ts'
import type { JsonObject } from '../../canonical/values.ts'
import type { Model } from './models.ts'

export interface WrittenThinking {
  /** For `additionalModelRequestFields`. */
  readonly fields: JsonObject
  /** For `outputConfig.effort`; null: none is told. */
  readonly effort: string | null
  /** Whether the model will think, which leaves it less to be told otherwise. */
  readonly on: boolean
  /** Whether what the client asked for could not be said. */
  readonly dropped: boolean
}

const SILENT: WrittenThinking = { fields: {}, effort: null, on: false, dropped: false }
const DROPPED: WrittenThinking = { ...SILENT, dropped: true }

/** @param possible whether the request's other wishes, and the turn that it goes on with, let Claude think */
export function writeThinking(request: ChatRequest, model: Model, possible: boolean): WrittenThinking {
  const { reasoning } = request
  if (reasoning === null || isUntold(reasoning)) return SILENT
  const off = isOff(reasoning)
  const effort = off ? 'none' : effortIn(reasoning)
  switch (model.family) {
    case 'claude':
      return off ? withoutThought(model.claude!) : claudeThought(request, reasoning, model.claude!, possible)
    case 'nova2':
      return off
        ? { ...SILENT, fields: { reasoningConfig: { type: 'disabled' } } }
        : {
            ...SILENT,
            on: true,
            fields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: threeLevels(effort ?? 'medium') } },
          }
    case 'gpt-oss':
      return effort === null ? SILENT : { ...SILENT, fields: { reasoning_effort: threeLevels(effort) } }
    case 'kimi':
      return off || effort === null ? SILENT : { ...SILENT, fields: { reasoning_effort: threeLevels(effort) } }
    case 'gpt':
      return effort === null
        ? SILENT
        : { ...SILENT, fields: { reasoning: { effort: effort === 'minimal' ? 'low' : effort } } }
    default:
      return off ? SILENT : DROPPED
  }
}

function threeLevels(effort: Effort): string {
  if (effort === 'medium') return 'medium'
  return effort === 'none' || effort === 'minimal' || effort === 'low' ? 'low' : 'high'
}

/** What turns the thinking off of a model that thinks unasked. */
function withoutThought({ thinkingOff }: Abilities): WrittenThinking {
  if (thinkingOff === 'unasked') return SILENT
  return thinkingOff === 'never' ? DROPPED : { ...SILENT, fields: { thinking: { type: thinkingOff } } }
}

function claudeThought(
  request: ChatRequest,
  reasoning: Reasoning,
  { thinking, xhigh, hides }: Abilities,
  possible: boolean,
): WrittenThinking {
  if (thinking === 'never' || !possible) return DROPPED
  if (thinking === 'adaptive') {
    const effort = effortIn(reasoning)
    const display = hides && reasoning.shown !== null ? { display: reasoning.shown ? 'summarized' : 'omitted' } : {}
    const told = effort === null ? null : effort === 'minimal' ? 'low' : effort === 'xhigh' && !xhigh ? 'high' : effort
    return { fields: { thinking: { type: 'adaptive', ...display } }, effort: told, on: true, dropped: false }
  }
  const budget = budgetWithin(reasoning, request.params.maxTokens)
  if (budget === null) return DROPPED
  return { ...SILENT, fields: { thinking: { type: 'enabled', budget_tokens: budget } }, on: true }
}
