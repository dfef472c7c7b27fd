/** How much is to be thought, as `thinkingConfig` (Gemini's guide "Gemini thinking"). */
import { budgetOf, effortIn, isOff } from '../../canonical/reasoning.ts'
import type { Effort, Reasoning } from '../../canonical/request.ts'
import type { JsonObject } from '../../canonical/values.ts'
import { nameOf, thinkingOf } from './model.ts'

/** The least and the most of Gemini 2.5; only Pro can't do without. */
const LEAST_OF_PRO = 128
const LEAST_OF_LITE = 512
const MOST_OF_PRO = 32_768
const MOST = 24_576
/** Those that know the least level: Pro never did, and Flash did until 3.5 (from 3.7 on it refuses it). All know the low one. */
const KNOW_MINIMAL = /^gemini-3(?:\.[0-5])?-flash\b/
/** As much as the model finds right. */
const ITS_OWN = -1

/** @returns null: the model can't be told */
export function thinkingConfigOf(reasoning: Reasoning, model: string): JsonObject | null {
  const way = thinkingOf(model)
  if (way === 'none') return isOff(reasoning) ? {} : null
  const { effort, budget, enabled, shown } = reasoning
  const off = isOff(reasoning)
  const includeThoughts = !off && (shown ?? (enabled === true || effort !== null || budget !== null))
  const shownThoughts = includeThoughts ? { includeThoughts } : {}
  if (way === 'level') {
    const asked = off ? 'none' : effortIn(reasoning)
    return asked === null ? shownThoughts : { thinkingLevel: levelOf(asked, nameOf(model)), ...shownThoughts }
  }
  const tokens = off ? 0 : (budget ?? (effort === null ? null : budgetOf(effort)))
  if (tokens === null) return enabled === true ? { thinkingBudget: ITS_OWN, ...shownThoughts } : shownThoughts
  return { thinkingBudget: within(tokens, nameOf(model)), ...shownThoughts }
}

/** Gemini 3 always thinks; the first of its Pro knew but two levels. */
function levelOf(effort: Effort, model: string): string {
  switch (effort) {
    case 'none':
    case 'minimal':
      return KNOW_MINIMAL.test(model) ? 'minimal' : 'low'
    case 'low':
      return 'low'
    case 'medium':
      return model.startsWith('gemini-3-pro') ? 'high' : 'medium'
    default:
      return 'high'
  }
}

function within(tokens: number, model: string): number {
  const pro = /-pro\b/.test(model)
  if (pro) return Math.min(Math.max(tokens, LEAST_OF_PRO), MOST_OF_PRO)
  if (tokens === 0) return 0
  return Math.min(Math.max(tokens, /-lite\b/.test(model) ? LEAST_OF_LITE : 1), MOST)
}
