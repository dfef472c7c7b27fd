/** Finished requests that wait to be sent, as JSON texts. Bounded in bytes: what does not fit is dropped, and counted. */
export class RecordQueue {
  /** Records that will never be stored, since the process started. */
  dropped = 0
  /** Characters that are held. */
  private size = 0
  private texts: string[] = []
  private readonly capacity: number

  /** @param capacity characters, of about a thousand a record */
  constructor(capacity: number) {
    this.capacity = capacity
  }

  get length(): number {
    return this.texts.length
  }

  push(text: string): void {
    if (this.size + text.length > this.capacity) {
      this.dropped++
    } else {
      this.size += text.length
      this.texts.push(text)
    }
  }

  /** The oldest records: at most `count` and, beyond the first, `characters`. They stay until {@link remove}. */
  batch(count: number, characters: number): string[] {
    let length = 0
    let end = 0
    for (const text of this.texts) {
      length += text.length
      if (end === count || (end > 0 && length > characters)) break
      end++
    }
    return this.texts.slice(0, end)
  }

  /** Forgets the oldest: they were stored, or refused for good. */
  remove(count: number): void {
    for (const text of this.texts.splice(0, count)) this.size -= text.length
  }
}
