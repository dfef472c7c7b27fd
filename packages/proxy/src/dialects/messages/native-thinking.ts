/**
 * Thinking that was asked of Anthropic in its own API, and has to be left off: its thoughts of the turn in progress were another
 * provider's, and have left the conversation.
 */
import { abilitiesOf } from '../../canonical/claude.ts'
import { parseExact } from '../../canonical/exact-json.ts'
import { unlessTooDeep } from '../../canonical/problem.ts'
import { canThinkOn, turnInProgress } from '../../canonical/turn.ts'
import { isObject, listOf, objectOf, textOf } from '../../canonical/values.ts'
import { findMembers, latin1FromUtf8, replaceAll, utf8FromLatin1, type Edit, type Range } from '../../stream/json.ts'
import { BLOCK_KINDS } from './block-kinds.ts'
import { isForeignThought } from './native-body.ts'

const MEMBERS = new Set(['thinking', 'context_management'])
const OFF = '{"type":"disabled"}'
/** What edits of a context are refused for where nothing is thought. */
const CLEARS_THOUGHTS = /^clear_thinking_/

/**
 * Whether thoughts are missing now that the model would have to begin with, to think on in its turn.
 * @param kept the messages as {@link withoutForeign} left them
 */
export function breaksOffThought(messages: unknown, kept: readonly unknown[]): boolean {
  const before = listOf(messages)
  const begin = turnInProgress(before, BLOCK_KINDS)
  if (begin === null || canThinkOn(kept, BLOCK_KINDS)) return false
  return before.slice(begin).some((message) => listOf(objectOf(message)['content']).some(isForeignThought))
}

/**
 * Whether it asks for thoughts by a budget, which a turn that began without any is refused for. A model that takes none refuses
 * that anyway.
 * @param text the body, latin1
 */
export function asksForBudget(text: string, model: string): boolean {
  if (!abilitiesOf(model).budgets) return false
  const range = findMembers(text, MEMBERS)?.get('thinking')?.at(-1)
  return range !== undefined && objectOf(valueAt(text, range))['type'] === 'enabled'
}

/** What turns thinking off. Effort, limits and sampling may stay: all that is taken beside thinking is taken without. */
export function thinkingOff(text: string): readonly Edit[] {
  const members = findMembers(text, MEMBERS)
  const thinking = replaceAll(members?.get('thinking') ?? [], OFF)
  const contexts = (members?.get('context_management') ?? []).flatMap((range) => {
    const literal = unlessTooDeep('context_management', () => contextWithout(valueAt(text, range)))
    return literal === null ? [] : replaceAll([range], literal)
  })
  return [...thinking, ...contexts]
}

/** @returns as latin1; null: it stays as it is */
function contextWithout(context: unknown): string | null {
  if (!isObject(context)) return null
  const before = listOf(context['edits'])
  const edits = before.filter((edit) => !CLEARS_THOUGHTS.test(textOf(objectOf(edit)['type'])))
  if (edits.length === before.length) return null
  return edits.length === 0 ? 'null' : latin1FromUtf8(JSON.stringify({ ...context, edits }))
}

function valueAt(text: string, { start, end }: Range): unknown {
  return parseExact(utf8FromLatin1(text.slice(start, end)))
}
