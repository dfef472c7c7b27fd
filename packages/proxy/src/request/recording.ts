import type { StoredAnswer, StoredStream } from '../cache/answer.ts'
import type { Failure } from './failure.ts'
import type { Tape } from './tape.ts'

/** Bytes of an answer that are kept whole: of a longer one, only what somebody has yet to get. */
const MOST_KEPT = 4 * 1_048_576
/** Bytes of all answers that are under way. While there are more, none that goes on is kept whole. */
const MOST_KEPT_OF_ALL = 64 * 1_048_576

/** What all recordings hold, in bytes. */
export interface Kept {
  bytes: number
}

/** An answer as it comes: kept for those who ask for it later, and for the cache. */
export class Recording implements Tape {
  begun = false
  ended = false
  done = false
  status = 200
  headers: readonly string[] = []
  stream = false
  failure: Failure | null = null
  /** Whether nobody knows if it is an answer at all: it was too large to be read. */
  unread = false
  /** Bytes so far. */
  bytes = 0
  private readonly parts: string[] = []
  private readonly times: number[] = []
  /** Whether each part only tells usage. */
  private readonly usageOnly: boolean[] = []
  private usageParts = 0
  private firstAt = 0
  /** Parts that nobody needs any more. */
  private forgotten = 0
  private outgrown = false
  private held = 0
  private readonly kept: Kept

  constructor(kept: Kept) {
    this.kept = kept
  }

  get length(): number {
    return this.parts.length
  }

  /** Whether it can be played from its beginning. */
  get whole(): boolean {
    return !this.outgrown
  }

  /** Whether it can be given again, and a stored answer can say all that it does. */
  get storable(): boolean {
    return this.whole && !this.unread && this.usageParts <= 1
  }

  part(index: number): string {
    return this.parts[index]!
  }

  isUsage(index: number): boolean {
    return this.usageOnly[index]!
  }

  at(index: number): number {
    return this.times[index]!
  }

  begin(status: number, headers: readonly string[], stream: boolean): void {
    this.begun = true
    this.status = status
    this.headers = headers
    this.stream = stream
    this.firstAt = performance.now()
  }

  /** @param onlyUsage whether it only tells usage */
  add(text: string, onlyUsage = false): void {
    if (text === '') return
    this.bytes += text.length
    this.hold(text.length)
    if (this.bytes > MOST_KEPT || this.kept.bytes > MOST_KEPT_OF_ALL) this.outgrown = true
    this.parts.push(text)
    this.usageOnly.push(onlyUsage)
    if (onlyUsage) this.usageParts++
    this.times.push(Math.round(performance.now() - this.firstAt))
  }

  /** @param failure null: it is whole */
  end(failure: Failure | null): void {
    this.ended = true
    this.done = failure === null
    this.failure = failure
  }

  /** Parts before this one are asked for by nobody any more, unless it can be played from its beginning. */
  forgetBefore(index: number): void {
    if (!this.outgrown) return
    for (; this.forgotten < index; this.forgotten++) {
      this.hold(-this.parts[this.forgotten]!.length)
      this.parts[this.forgotten] = ''
    }
  }

  /** Nobody plays it any more. */
  release(): void {
    this.hold(-this.held)
  }

  /** All of it, in one flat string: its parts may hold on to larger ones that they were cut from. */
  body(): string {
    return Buffer.from(this.parts.join(''), 'latin1').toString('latin1')
  }

  /** Where its parts stand in its body; null: it is no stream. */
  marks(): StoredAnswer['stream'] {
    if (!this.stream) return null
    const ends: number[] = []
    let end = 0
    for (const part of this.parts) ends.push((end += part.length))
    return { ends, at: this.times, usagePart: this.usageOnly.indexOf(true) } satisfies StoredStream
  }

  private hold(bytes: number): void {
    this.held += bytes
    this.kept.bytes += bytes
  }
}
