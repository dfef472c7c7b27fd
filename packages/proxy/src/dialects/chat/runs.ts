/**
 * Most chunks of a stream differ from the one before in a piece of text and in nothing else. Such a run says the same as one
 * chunk with all of its text, which is read in a tenth of the time.
 */
import { eventData, eventsIn } from '../../stream/events.ts'
import { readItems, readMembers, type Members } from '../../stream/json-source.ts'
import { skipString } from '../../stream/json.ts'

/** What the events of a run have in common, around the piece of text and around OpenAI's padding. */
interface Frame {
  readonly head: string
  /** Up to the padding, or to the end where there is none. */
  readonly middle: string
  /** Null: there is no padding. */
  readonly tail: string | null
}

const TEXT = /"(?:content|reasoning_content|reasoning)":"/
const PADDING = '"obfuscation":"'
/** Stand in for what differs, to see that it is what it seems to be. */
const TEXT_PROBE = '"text\\u0000"'
const PADDING_PROBE = '"padding\\u0000"'
/** Streams that have no runs, as those with logprobs, are not searched for them to their end. */
const MOST_MISSES = 8

/**
 * The events of a stream, runs made one event each. The last may lack its blank line.
 * @throws SyntaxError for a text that is cut within an escape
 */
export function joinRuns(events: string): string[] {
  const joined: string[] = []
  let frame: Frame | null = null
  let texts: string[] = []
  let misses = 0
  for (const event of eventsIn(events)) {
    const text = frame && textIn(event, frame)
    if (text !== null) {
      texts.push(text)
      continue
    }
    if (frame) {
      joined.push(frame.head + texts.join('') + frame.middle + (frame.tail ?? ''))
      misses = texts.length === 1 ? misses + 1 : 0
    }
    frame = misses < MOST_MISSES ? frameOf(event) : null
    if (frame) texts = [textIn(event, frame)!]
    else joined.push(event)
  }
  if (frame) joined.push(frame.head + texts.join('') + frame.middle + (frame.tail ?? ''))
  return joined
}

/** The text of an event of this frame, without its quotes; null if it is none. */
function textIn(event: string, { head, middle, tail }: Frame): string | null {
  if (event.slice(0, head.length) !== head) return null
  const end = skipString(event, head.length - 1) - 1
  const middleEnd = tail === null ? event.length : end + middle.length
  if (end < 0 || event.slice(end, middleEnd) !== middle) return null
  if (tail !== null) {
    const paddingEnd = skipString(event, middleEnd - 1) - 1
    if (paddingEnd < 0 || event.slice(paddingEnd) !== tail) return null
  }
  const text = event.slice(head.length, end)
  if (text.includes('\\u')) JSON.parse(`"${text}"`)
  return text
}

/** The event's frame, where a run can be made one: what it repeats says nothing when it is said again. */
function frameOf(event: string): Frame | null {
  const found = TEXT.exec(event)
  if (!found) return null
  const start = found.index + found[0].length
  const end = skipString(event, start - 1) - 1
  if (end < 0) return null
  const padding = event.indexOf(PADDING, end)
  const middleEnd = padding < 0 ? event.length : padding + PADDING.length
  const paddingEnd = padding < 0 ? -1 : skipString(event, middleEnd - 1) - 1
  const frame = {
    head: event.slice(0, start),
    middle: event.slice(end, middleEnd),
    tail: paddingEnd < 0 ? null : event.slice(paddingEnd),
  }
  return addsOnlyText(frame) ? frame : null
}

function addsOnlyText({ head, middle, tail }: Frame): boolean {
  const text = head.slice(0, -1) + TEXT_PROBE + middle.slice(1)
  const data = eventData(tail === null ? text : text.slice(0, -1) + PADDING_PROBE + tail.slice(1))
  if (data === null) return false
  const chunk = readMembers(data)
  if (tail !== null && chunk.get('obfuscation') !== PADDING_PROBE) return false
  const choices = readItems(chunk.get('choices') ?? '[]')
  const [choice] = choices
  if (choices.length !== 1 || !isNull(choice!.get('logprobs')) || !isNull(choice!.get('text'))) return false
  if ([...choice!.values()].some((value) => value.startsWith('['))) return false
  let found = false
  for (const [name, value] of readMembers(choice!.get('delta') ?? '{}')) {
    if (value === TEXT_PROBE) found = true
    else if (name !== 'role' && !isNull(value)) return false
  }
  return found
}

function isNull(source: ReturnType<Members['get']>): boolean {
  return source === undefined || source === 'null'
}
