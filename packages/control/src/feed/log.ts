/** The last events of this control process, in the order in which it published them: for those who were away for a moment. */
import { eventName, nameOf, readEventId, type FeedEvent, type OngoingEvent } from './event.ts'

const MOST_ENTRIES = 20_000
/** Of events that are kept whole. */
const MOST_BYTES = 8 * 1024 * 1024
/** Entries are let go of in portions: to move the others costs. */
const PORTION = 1_000

export interface LogEntry {
  readonly id: string
  /** Where a record is found beside its id; null: it is no record's. */
  readonly startedAt: string | null
  /** Kept whole if nothing else has it; null: the database has the record. */
  readonly event: OngoingEvent | null
  readonly bytes: number
}

export class FeedLog {
  #entries: LogEntry[] = []
  /** The number of the first entry. */
  #first = 0
  #bytes = 0
  readonly #numbers = new Map<string, number>()

  /** The number of the next entry. */
  get head(): number {
    return this.#first + this.#entries.length
  }

  /**
   * Notes an event.
   * @param bytes what it weighs
   * @returns false if it is known already, or comes after its request's end: then nobody is to be told of it
   */
  add(event: FeedEvent, bytes: number): boolean {
    const name = nameOf(event.id)
    if (this.#numbers.has(name)) return false
    const isRecord = event.kind === 'FINISHED'
    if (!isRecord && this.#numbers.has(eventName('FINISHED', event.request.id))) return false
    this.#numbers.set(name, this.head)
    this.#entries.push({
      id: event.id,
      startedAt: isRecord ? event.record.startedAt : null,
      event: isRecord ? null : event,
      bytes: isRecord ? 0 : bytes,
    })
    if (!isRecord) this.#bytes += bytes
    while (this.#entries.length > MOST_ENTRIES || this.#bytes > MOST_BYTES) this.#letGo()
    return true
  }

  /** The number of the event with this id; null if it is not known. */
  find(id: string): number | null {
    return this.#numbers.get(nameOf(id)) ?? null
  }

  /** The number of the first of that time or later. */
  since(time: Date): number {
    const i = this.#entries.findIndex(({ id }) => readEventId(id)!.time >= time)
    return i < 0 ? this.head : this.#first + i
  }

  /** From this number on, as far as there are any. */
  from(number: number, most: number): readonly LogEntry[] {
    const start = Math.max(0, number - this.#first)
    return this.#entries.slice(start, start + most)
  }

  /** The number of the first that is still there. */
  get first(): number {
    return this.#first
  }

  #letGo(): void {
    for (const { id, bytes } of this.#entries.splice(0, PORTION)) {
      this.#numbers.delete(nameOf(id))
      this.#bytes -= bytes
      this.#first++
    }
  }
}
