/**
 * Splits a byte stream into server-sent events (WHATWG HTML, section 9.2), wherever packets cut it.
 * Text is the bytes as latin1. An event reaches from its first character to past the blank line that ends it.
 */

import { splice, type Edit } from './json.ts'
import type { Splitter } from './splitter.ts'

const LF = 0x0a
const CR = 0x0d

/** The longest blank line and the line end before it: LF CR LF. */
const LONGEST_END = 3

export class EventSplitter implements Splitter {
  readonly fault = null
  /** The text in which {@link start} and {@link end} mark the current event. */
  text = ''
  start = 0
  end = 0
  /** The beginning of an event that has no end yet. Not searched again: its pieces are joined once it has. */
  private pending = ''
  /** The last characters of {@link pending}, with which a blank line may begin. */
  private tail = ''
  /** Whether lines end in CR alone; null until the first line has ended. */
  private bareReturns: boolean | null = null
  /** Whether {@link push} has found the end of the event that {@link next} will move to. */
  private found = false

  /** Characters that wait for the end of their event. */
  get pendingLength(): number {
    return this.pending.length
  }

  pushBytes(chunk: Buffer): void {
    this.push(chunk.toString('latin1'))
  }

  /** Takes what came next; call {@link next} until it says false before the next push. */
  push(chunk: string): void {
    this.start = this.end = 0
    const window = this.tail + chunk
    const end = this.findEnd(window, 0)
    if (end < 0) {
      this.pending += chunk
      this.tail = window.slice(-LONGEST_END)
      this.text = ''
    } else {
      const before = this.pending.length - this.tail.length
      this.text = this.pending + chunk
      this.end = before + end
      this.pending = this.tail = ''
      this.found = true
    }
  }

  /** Moves to the next whole event. False: there is none yet, and what is left waits for more. */
  next(): boolean {
    if (this.found) {
      this.found = false
      return true
    }
    if (this.text === '') return false
    const end = this.findEnd(this.text, this.end)
    if (end >= 0) {
      this.start = this.end
      this.end = end
      return true
    }
    this.pending = this.text.slice(this.end)
    this.tail = this.pending.slice(-LONGEST_END)
    this.text = ''
    return false
  }

  /** What came after the last whole event; a stream may end without its last blank line. */
  rest(): string {
    return this.pending
  }

  /** Past the first blank line at or after `from`, or -1. */
  private findEnd(text: string, from: number): number {
    if (this.bareReturns === null) this.bareReturns = endsInBareReturns(text, from)
    if (this.bareReturns) {
      const blank = text.indexOf('\r\r', from)
      return blank < 0 ? -1 : blank + 2
    }
    let i = from
    for (;;) {
      const lf = text.indexOf('\n', i)
      if (lf < 0) return -1
      const next = text.charCodeAt(lf + 1)
      if (next === LF) return lf + 2
      if (next === CR && text.charCodeAt(lf + 2) === LF) return lf + 3
      i = lf + 1
    }
  }
}

/** Whether the first line ends in CR alone; null where it has not ended, or what follows its CR is still to come. */
function endsInBareReturns(text: string, from: number): boolean | null {
  const lf = text.indexOf('\n', from)
  const cr = text.indexOf('\r', from)
  if (cr >= 0 && (lf < 0 || cr < lf - 1)) return cr === text.length - 1 ? null : true
  return lf < 0 ? null : false
}

/** Where a `data` line's value stands in its event. */
export interface DataLine {
  readonly start: number
  readonly end: number
}

/** The values of an event's `data` lines, in order; none for a comment or a ping. */
export function dataLines(event: string): DataLine[] {
  const lines: DataLine[] = []
  // One byte order mark may stand before the first event; here it is three latin1 characters.
  let from = event.startsWith('\u00ef\u00bb\u00bf') ? 3 : 0
  while (from < event.length) {
    const end = lineEnd(event, from)
    if (event.startsWith('data', from)) {
      if (event[from + 4] === ':') lines.push({ start: event[from + 5] === ' ' ? from + 6 : from + 5, end })
      else if (end === from + 4) lines.push({ start: end, end })
    }
    from = end + (event.charCodeAt(end) === CR && event.charCodeAt(end + 1) === LF ? 2 : 1)
  }
  return lines
}

function lineEnd(event: string, from: number): number {
  for (let i = from; i < event.length; i++) {
    const c = event.charCodeAt(i)
    if (c === LF || c === CR) return i
  }
  return event.length
}

/** The `data` of one event, its lines joined by LF; null if it has none. */
export function eventData(event: string): string | null {
  const lines = dataLines(event)
  return lines.length === 0 ? null : lines.map(({ start, end }) => event.slice(start, end)).join('\n')
}

/** An event with its `data` edited: its lines are parted as they were, since no literal has a line end in it. */
export function editData(event: string, data: string, edits: readonly Edit[]): string {
  const lines = splice(data, edits).split('\n')
  return splice(
    event,
    dataLines(event).map((line, i) => ({ ...line, literal: lines[i]! })),
  )
}

/** The `event` field of one event; empty if it has none. */
export function eventName(event: string): string {
  return /(?:^|[\r\n]|^\u00ef\u00bb\u00bf)event: ?([^\r\n]*)/.exec(event)?.[1] ?? ''
}

/** All events of a whole stream, and what comes after the last of them. */
export function* eventsIn(stream: string): Generator<string> {
  const splitter = new EventSplitter()
  splitter.push(stream)
  while (splitter.next()) yield splitter.text.slice(splitter.start, splitter.end)
  yield splitter.rest()
}
