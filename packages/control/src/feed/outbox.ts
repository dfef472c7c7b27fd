/** Events that wait to be written for other processes. Bounded: of more, the oldest are lost, and counted. */
import type { FeedEvent } from './event.ts'

/** Of what waits, in JSON. */
const MOST_CHARACTERS = 8 * 1024 * 1024
/** Of a batch, as long as it has more than one event. */
const MOST_IN_BATCH = 1024 * 1024

export interface Batch {
  /** How many events came before its first, those that were lost included. */
  readonly first: number
  /** A JSON array. */
  readonly events: string
}

export class Outbox {
  readonly #waiting: string[] = []
  #characters = 0
  /** How many have left it, to be written or lost. */
  #gone = 0
  #lost = 0

  get lost(): number {
    return this.#lost
  }

  add(event: FeedEvent): void {
    const text = JSON.stringify(event)
    this.#waiting.push(text)
    this.#characters += text.length
    while (this.#characters > MOST_CHARACTERS && this.#waiting.length > 1) {
      this.#shift()
      this.#lost++
    }
  }

  /** The oldest, as many as go into one batch; null if none waits. */
  take(): Batch | null {
    if (this.#waiting.length === 0) return null
    const first = this.#gone
    const events: string[] = []
    let characters = 0
    while (this.#waiting.length > 0) {
      characters += this.#waiting[0]!.length
      if (events.length > 0 && characters > MOST_IN_BATCH) break
      events.push(this.#shift())
    }
    return { first, events: `[${events.join(',')}]` }
  }

  #shift(): string {
    const text = this.#waiting.shift()!
    this.#characters -= text.length
    this.#gone++
    return text
  }
}
