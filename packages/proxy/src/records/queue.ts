/**
 * Finished requests that wait to be sent, as the bytes of their JSON. Kept in pages outside the heap: as strings they
 * outlived several young collections each, and were joined and encoded once more before each call.
 */

/** The beginning of a call's body, and the records in it, parted by commas; it grows until it is full or its sending begins. */
interface Page {
  readonly bytes: Buffer
  length: number
  count: number
  sealed: boolean
}

const PAGE_BYTES = 524_288
const COMMA = 0x2c
const CLOSING_BRACE = 0x7d

/** Somebody who waits until the records pushed so far have been taken. */
interface Watcher {
  /** How many that is, since the process started. */
  readonly pushed: number
  resolve(taken: boolean): void
}

export class RecordQueue {
  /** Records that will never be stored, since the process started, whatever the reason. */
  dropped = 0
  /** Those among them that did not fit in here. */
  overflowed = 0
  /** Records that wait. */
  length = 0
  private readonly pages: Page[] = []
  /** Records since the process started: put in, and taken out. */
  private pushed = 0
  private removed = 0
  private readonly watchers: Watcher[] = []
  /**
   * The bytes of a page that was sent, for the next: V8 answers ten megabytes a second of memory outside its heap with
   * full collections, and requests wait for these.
   */
  private spare: Buffer | null = null
  private readonly mostPages: number
  private readonly mostPerPage: number
  private readonly before: string
  private readonly after: string

  /**
   * @param mostBytes what may wait; more is dropped, and counted
   * @param mostPerBatch records in a batch
   * @param before what stands before the records in the body of a call
   * @param after what stands after them
   */
  constructor(mostBytes: number, mostPerBatch: number, before: string, after: string) {
    this.mostPages = Math.max(1, Math.floor(mostBytes / PAGE_BYTES))
    this.mostPerPage = mostPerBatch
    this.before = before
    this.after = after
  }

  /**
   * @param json an object
   * @param more members that follow its own, each after a comma: joining texts of this length costs more than writing them
   */
  push(json: string, more = ''): void {
    const page = this.pageFor(json.length + more.length + 1)
    if (!page) {
      this.dropped++
      this.overflowed++
      return
    }
    if (page.count > 0) page.bytes[page.length++] = COMMA
    page.length += page.bytes.write(json, page.length)
    if (more !== '') {
      // Over the brace that closes the object.
      page.length += page.bytes.write(more, page.length - 1) - 1
      page.bytes[page.length++] = CLOSING_BRACE
    }
    page.count++
    this.length++
    this.pushed++
  }

  /** Resolves when all that was pushed so far has been taken, or that time is over. @returns whether it has been taken */
  stored(withinMs: number): Promise<boolean> {
    if (this.removed === this.pushed) return Promise.resolve(true)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const watcher: Watcher = { pushed: this.pushed, resolve }
    this.watchers.push(watcher)
    const timer = setTimeout(() => {
      this.watchers.splice(this.watchers.indexOf(watcher), 1)
      resolve(false)
    }, withinMs)
    return promise.finally(() => clearTimeout(timer))
  }

  /** The body of a call with the oldest records. They stay, as this batch, until {@link remove}. @returns null if none wait */
  batch(): Buffer | null {
    const page = this.pages[0]
    if (!page) return null
    if (!page.sealed) page.length += page.bytes.write(this.after, page.length)
    page.sealed = true
    return page.bytes.subarray(0, page.length)
  }

  /** Forgets the batch that {@link batch} gave, and may write over its bytes: its records were stored, or refused for good. */
  remove(): void {
    const page = this.pages.shift()
    if (!page) return
    this.length -= page.count
    this.removed += page.count
    while (this.watchers.length > 0 && this.watchers[0]!.pushed <= this.removed) this.watchers.shift()!.resolve(true)
    if (page.bytes.length === PAGE_BYTES) this.spare = page.bytes
  }

  /** @param length UTF-16 code units of a record */
  private pageFor(length: number): Page | null {
    const last = this.pages.at(-1)
    // In UTF-8 a UTF-16 code unit takes three bytes at most.
    const room = length * 3 + 1 + this.after.length
    if (last && !last.sealed && last.count < this.mostPerPage && last.length + room <= last.bytes.length) return last
    if (this.pages.length >= this.mostPages) return null
    const bytes = this.bytesFor(this.before.length + room)
    const page = { bytes, length: bytes.write(this.before), count: 0, sealed: false }
    this.pages.push(page)
    return page
  }

  private bytesFor(room: number): Buffer {
    if (room > PAGE_BYTES) return Buffer.allocUnsafeSlow(room)
    const bytes = this.spare ?? Buffer.allocUnsafeSlow(PAGE_BYTES)
    this.spare = null
    return bytes
  }
}
