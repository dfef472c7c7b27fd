/**
 * Splits a byte stream into server-sent events (WHATWG HTML, section 9.2), wherever packets cut it.
 * Text is the bytes as latin1. An event reaches from its first character to past the blank line that ends it.
 */

const LF = 0x0a
const CR = 0x0d

export class EventSplitter {
  /** The text in which {@link start} and {@link end} mark the current event. */
  text = ''
  start = 0
  end = 0
  /** Characters that wait for the end of their event. */
  pendingLength = 0
  private pending: string[] = []

  /** Takes what came next; call {@link next} until it says false before the next push. */
  push(chunk: string): void {
    if (this.pending.length > 0) {
      this.pending.push(chunk)
      this.pendingLength += chunk.length
      // Without a line end nothing can be complete: don't join again for each of a large event's packets.
      if (!chunk.includes('\n') && !chunk.includes('\r')) {
        this.text = ''
        this.start = this.end = 0
        return
      }
      this.text = this.pending.join('')
      this.pending = []
    } else {
      this.text = chunk
    }
    this.pendingLength = 0
    this.start = this.end = 0
  }

  /** Moves to the next whole event. False: there is none yet, and what is left waits for more. */
  next(): boolean {
    const end = eventEnd(this.text, this.end)
    if (end >= 0) {
      this.start = this.end
      this.end = end
      return true
    }
    if (this.end < this.text.length) {
      const rest = this.end === 0 ? this.text : this.text.slice(this.end)
      this.pending.push(rest)
      this.pendingLength = rest.length
      this.text = ''
      this.start = this.end = 0
    }
    return false
  }

  /** What came after the last whole event; a stream may end without its last blank line. */
  rest(): string {
    return this.pending.join('')
  }
}

/** Past the first blank line at or after `from`, or -1. Lines end in LF, CRLF or CR. */
function eventEnd(text: string, from: number): number {
  let i = from
  for (;;) {
    const lf = text.indexOf('\n', i)
    if (lf < 0) return bareReturns(text, i)
    const next = text.charCodeAt(lf + 1)
    if (next === LF) return lf + 2
    if (next === CR && text.charCodeAt(lf + 2) === LF) return lf + 3
    i = lf + 1
  }
}

/** Streams that end their lines in CR alone: rare, and told from half of a CRLF by what follows. */
function bareReturns(text: string, from: number): number {
  const blank = text.indexOf('\r\r', from)
  return blank < 0 ? -1 : blank + 2
}

/**
 * The `data` of one event, its lines joined by LF; null if it has none (a comment, a ping).
 */
export function eventData(event: string): string | null {
  let data: string | null = null
  for (const line of event.split(/\r\n|\n|\r/)) {
    if (!line.startsWith('data')) continue
    if (line.length > 4 && line[4] !== ':') continue
    const value = line.length === 4 ? '' : line.slice(line[5] === ' ' ? 6 : 5)
    data = data === null ? value : `${data}\n${value}`
  }
  return data
}

/** The `event` field of one event; empty if it has none. */
export function eventName(event: string): string {
  return /^event: ?(.*?)\r?$/m.exec(event)?.[1] ?? ''
}

/** An event that holds this data, in the spelling that OpenAI uses. `data` has no line end in it. */
export function dataEvent(data: string): string {
  return `data: ${data}\n\n`
}
