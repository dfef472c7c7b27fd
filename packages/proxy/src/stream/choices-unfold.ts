/** What whole answers of OpenAI's APIs with choices are made streams by. */
import type { StreamedForm } from './forms.ts'
import { inOneLine, refuse } from './json-fold.ts'
import { readItems, readMembers, type Members } from './json-source.ts'

const DONE = 'data: [DONE]\n\n'

/**
 * @param answer JSON, latin1
 * @param object what it names itself, as JSON
 * @throws SyntaxError unless it is a whole answer, without an error
 */
export function readAnswer(answer: string, object: string): { completion: Members; choices: readonly Members[] } {
  const completion = readMembers(inOneLine(answer))
  const told = completion.get('object') ?? 'null'
  if (told !== object && told !== 'null' && told !== '""') refuse('an unknown object')
  if (JSON.parse(completion.get('error') ?? 'null')) refuse('an error')
  const choices = readItems(completion.get('choices') ?? refuse('no choices'))
  if (choices.length === 0) refuse('no choices')
  return { completion, choices }
}

/**
 * @param events all that tell of choices
 * @param head how each event begins, up to and with the comma before its choices
 * @param usage JSON; null: it is not told
 */
export function streamedForm(events: string, head: string, usage: string | null): StreamedForm {
  if (usage === null) return { events: events + DONE, ends: [events.length + DONE.length], usagePart: -1 }
  const withUsage = `${events}${head}"choices":[],"usage":${usage}}\n\n`
  const whole = withUsage + DONE
  return { events: whole, ends: [events.length, withUsage.length, whole.length], usagePart: 1 }
}
