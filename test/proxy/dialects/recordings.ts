/** Real providers' answers, wherever the recordings lie; which API each is of is told by what stands in it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

import type { Dialect } from './kinds.ts'
import type { Json } from './said.ts'

const FOLDER = new URL('../../../../shared/recordings/', import.meta.url)

/** Why nothing can be replayed; false: it can. For `skip` of tests. */
export const recordingsMissing: string | false = existsSync(FOLDER)
  ? false
  : 'there are no recordings beside this checkout (../shared/recordings)'

export interface Recorded {
  /** Its path. */
  readonly name: string
  readonly dialect: Dialect
  readonly text: string
  /** Of an answer: itself. Of a stream: its events' data. */
  readonly parsed: readonly Json[]
}

/** Whole answers that are no errors. */
export function recordedAnswers(): Recorded[] {
  return recorded('.json').filter(({ parsed: [answer] }) => !isError(answer))
}

export function recordedErrors(): Recorded[] {
  return recorded('.json').filter(({ parsed: [answer] }) => isError(answer))
}

/** Streams; {@link fails} tells those that end in an error. */
export function recordedStreams(): Recorded[] {
  return recorded('.chunks.txt')
}

export function fails({ parsed }: Recorded): boolean {
  return parsed.some((event) => isError(event) || event.type === 'response.failed')
}

/** The lines of a stream's recording, as they are. */
export function linesOf({ text }: Pick<Recorded, 'text'>): string[] {
  return text.split('\n').filter((line) => line.trim() !== '' && line.trim() !== '[DONE]')
}

function recorded(suffix: string): Recorded[] {
  if (recordingsMissing) return []
  return readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .sort()
    .flatMap((name) => {
      const text = readFileSync(new URL(name, FOLDER), 'utf8')
      const parsed = parse(suffix === '.json' ? [text] : linesOf({ text }))
      const dialect = parsed && dialectOf(parsed)
      if (parsed !== null && dialect !== null) return [{ name, dialect, text, parsed }]
      console.log(`not replayed, since it is of an API that no provider kind speaks: ${name}`)
      return []
    })
}

/** Null: some are no JSON objects. */
function parse(texts: readonly string[]): Json[] | null {
  try {
    const parsed = texts.map((text): Json => JSON.parse(text))
    return parsed.every((one) => typeof one === 'object' && one !== null) ? parsed : null
  } catch {
    return null
  }
}

function isError(answer: Json): boolean {
  return answer.type === 'error' || (answer.error != null && typeof answer.error === 'object')
}

const CONVERSE = /^(?:messageStart|contentBlock(?:Start|Delta|Stop)|messageStop|metadata|\w+Exception)$/

/** Null: of an API that no provider kind speaks. */
function dialectOf(parsed: readonly Json[]): Dialect | null {
  const named = (test: (one: Json) => boolean): boolean => parsed.some(test)
  if (named(({ object }) => object === 'chat.completion' || object === 'chat.completion.chunk')) return 'chat'
  if (named(({ object }) => object === 'text_completion')) return 'completions'
  if (named(({ object, data }) => object === 'list' && data?.[0]?.object === 'embedding')) return 'embeddings'
  if (named(({ object, type }) => object === 'response' || type?.startsWith('response.'))) return 'responses'
  if (named(({ type }) => type === 'message' || type === 'message_start')) return 'messages'
  if (named(({ candidates, promptFeedback }) => candidates !== undefined || promptFeedback)) return 'gemini'
  if (named(({ output }) => output?.message?.content !== undefined)) return 'converse'
  if (parsed.every((one) => Object.keys(one).length === 1 && CONVERSE.test(Object.keys(one)[0]!))) return 'converse'
  return named(isError) ? 'chat' : null
}
