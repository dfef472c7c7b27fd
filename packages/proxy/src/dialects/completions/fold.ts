/** A streamed completion said whole: OpenAI's `text_completion`s as one. */
import { foldChoices, isFilled, readChunks, refuseError, writeAnswer } from '../../stream/choices-fold.ts'
import { eventsIn } from '../../stream/events.ts'
import { foldMembers, refuse, unlessRefused, type Shape } from '../../stream/json-fold.ts'
import { writeMembers, type Members } from '../../stream/json-source.ts'

const CHOICE: Shape = {
  members: {
    text: 'text',
    logprobs: { members: {}, others: 'list' },
    finish_reason: 'filled',
    error: refuseError,
  },
  others: 'state',
}
const COMPLETION: Shape = {
  members: {
    id: 'filled',
    created: 'filled',
    model: 'filled',
    choices: (sources) => foldChoices(sources, foldChoice),
  },
  others: 'last',
}

/**
 * The answer as it would have come unstreamed.
 * @param events all events of a stream, latin1
 * @returns JSON, latin1; null unless the stream is whole, without an error, and can be said so
 */
export function foldCompletionStream(events: string): string | null {
  return unlessRefused(() => writeAnswer(foldMembers(readChunks(eventsIn(events), '"text_completion"'), COMPLETION)))
}

function foldChoice(index: number, parts: readonly Members[]): string {
  const folded = foldMembers(parts, CHOICE)
  if (!folded.has('text')) refuse('a choice without a text')
  if (!isFilled(folded.get('finish_reason'))) refuse('a choice without an end')
  folded.set('index', String(index))
  return writeMembers(folded)
}
