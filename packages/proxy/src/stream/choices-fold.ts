/** What streams of OpenAI's APIs are put together by: chunks, each of which tells a part of some choices. */
import { eventData, eventName } from './events.ts'
import { refuse } from './json-fold.ts'
import { readItems, readMembers, writeMembers, type Members } from './json-source.ts'

/** No answer has as many choices or calls; an index beyond is no index. */
const MOST_INDEX = 9_999

/**
 * @param object what chunks name themselves, as JSON
 * @throws SyntaxError unless the stream is whole and without an error
 */
export function readChunks(events: Iterable<string>, object: string): Members[] {
  const chunks: Members[] = []
  let ended = false
  for (const event of events) ended = readChunk(event, ended, object, chunks)
  if (!ended) refuse('a stream without an end')
  return chunks
}

/** @returns whether the stream has ended */
function readChunk(event: string, ended: boolean, expected: string, chunks: Members[]): boolean {
  const data = eventData(event)
  if (data === null || data === '') return ended
  if (ended || eventName(event) === 'error') refuse('an event that is no chunk')
  if (data.trim() === '[DONE]') return true
  const chunk = readMembers(data)
  const object = chunk.get('object')
  // Azure's first chunk leaves it empty, others leave it out.
  const isNamed = object !== undefined && object !== 'null' && object !== '""'
  if (isNamed ? object !== expected : !chunk.has('choices')) refuse('an unknown object')
  if (JSON.parse(chunk.get('error') ?? 'null')) refuse('an error')
  chunks.push(chunk)
  return false
}

/** What OpenRouter tells of one choice. */
export function refuseError(sources: readonly string[]): string {
  if (sources.some((source) => JSON.parse(source))) refuse('an error')
  return sources[0]!
}

/** A list of choices out of the lists of all chunks. @param fold makes one choice of its parts */
export function foldChoices(
  sources: readonly string[],
  fold: (index: number, parts: readonly Members[]) => string,
): string {
  const choices = new Map<number, Members[]>()
  for (const source of sources) {
    const items = readItems(source)
    for (const item of items) addPart(choices, readIndex(item) ?? (items.length === 1 ? 0 : refuse('no index')), item)
  }
  return `[${inOrder(choices)
    .map(([index, parts]) => fold(index, parts))
    .join(',')}]`
}

/** @param answer put together @returns JSON @throws SyntaxError unless it is one, with choices */
export function writeAnswer(answer: Map<string, string>): string {
  if (answer.get('usage') === 'null') answer.delete('usage')
  if (!answer.get('choices')?.startsWith('[{')) refuse('no choices')
  const text = writeMembers(answer)
  JSON.parse(text)
  return text
}

/** Null: it has none. */
export function readIndex(item: Members): number | null {
  const source = item.get('index')
  if (source === undefined || source === 'null') return null
  const index = Number(source)
  return Number.isInteger(index) && index >= 0 && index <= MOST_INDEX ? index : refuse('an index that is none')
}

export function addPart(groups: Map<number, Members[]>, index: number, part: Members): void {
  if (index > MOST_INDEX) refuse('too many parts')
  const group = groups.get(index)
  if (group) group.push(part)
  else groups.set(index, [part])
}

export function inOrder(groups: ReadonlyMap<number, Members[]>): [number, Members[]][] {
  return [...groups].sort(([a], [b]) => a - b)
}

export const isFilled = (source: string | undefined): boolean =>
  source !== undefined && source !== '""' && source.startsWith('"')
