/** A whole completion said as a stream: OpenAI's `text_completion` as several. */
import { readAnswer, streamedForm } from '../../stream/choices-unfold.ts'
import type { StreamedForm } from '../../stream/forms.ts'
import { refuse, unlessRefused } from '../../stream/json-fold.ts'
import { writeMembers, type Members } from '../../stream/json-source.ts'

const OF_THE_ANSWER = new Set(['choices', 'usage'])
const OF_THE_END = new Set(['text', 'logprobs', 'finish_reason'])

/**
 * The answer as a stream with usage: of each choice its whole text with its logprobs, and then how it ended.
 * @param answer JSON, latin1
 * @returns null for what is no whole answer
 */
export function unfoldCompletion(answer: string): StreamedForm | null {
  return unlessRefused(() => unfold(answer))
}

function unfold(answer: string): StreamedForm {
  const { completion, choices } = readAnswer(answer, '"text_completion"')
  const head = `data: ${writeMembers([...completion].filter(([name]) => !OF_THE_ANSWER.has(name))).slice(0, -1)},`
  const indices = new Set<string>()
  let events = ''
  for (const choice of choices) {
    const index = choice.get('index') ?? refuse('a choice without an index')
    if (indices.has(index)) refuse('two choices of one index')
    indices.add(index)
    events += `${head}"choices":[${told(choice)}]}\n\n${head}"choices":[${ended(choice)}]}\n\n`
  }
  const usage = completion.get('usage') ?? 'null'
  return streamedForm(events, head, usage === 'null' ? null : usage)
}

function told(choice: Members): string {
  const text = choice.get('text')
  if (!text?.startsWith('"')) refuse('a choice without a text')
  const logprobs = choice.get('logprobs') ?? 'null'
  return `{"text":${text},"index":${choice.get('index')},"logprobs":${logprobs},"finish_reason":null}`
}

function ended(choice: Members): string {
  const reason = choice.get('finish_reason') ?? 'null'
  if (reason === 'null' || reason === '""') refuse('a choice without an end')
  const others = [...choice].filter(([name]) => !OF_THE_END.has(name))
  return writeMembers([['text', '""'], ...others, ['logprobs', 'null'], ['finish_reason', reason]])
}
