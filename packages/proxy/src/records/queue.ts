/**
 * Finished requests that wait to be sent, as the bytes of their JSON. Kept in pages outside the heap: as strings they
 * outlived several young collections each, and were joined and encoded once more before each call.
 */
import { untried, type Tried } from './calls.ts'
import type { SpoolFile } from './spool-file.ts'

/** The beginning of a call's body, and the records in it, parted by commas; it grows until it is full or its sending begins. */
export interface Page extends Tried {
  /** Counts up, in the order in which pages are begun. */
  readonly number: number
  readonly bytes: Buffer
  /** Where its last record ends. */
  end: number
  count: number
  sealed: boolean
  /** When it was begun, by performance.now(). */
  readonly since: number
  /** What stands on disk of it: its first records, or all; and when that was written. */
  file: SpoolFile | null
  savedAt: number
  /** Its bytes are in other hands, and are not written over. */
  lent: boolean
}

const PAGE_BYTES = 524_288
/** Pages whose bytes are kept for the next. */
const MOST_SPARE = 8
const COMMA = 0x2c
const CLOSING_BRACE = 0x7d

/** Somebody who waits until records have been taken. */
interface Watcher {
  /** The pages that they may stand in. */
  readonly first: number
  readonly last: number
  /** How many of these are not taken yet. */
  left: number
  resolve(taken: boolean): void
}

export class RecordQueue {
  /** Records that will never be stored, since the process started, whatever the reason. */
  dropped = 0
  /** Those among them that did not fit in here. */
  overflowed = 0
  /** Records that wait, in memory or on disk. */
  length = 0
  /** Those in memory. */
  inMemory = 0
  private readonly pages: Page[] = []
  /** The one that records are put into. */
  private open: Page | null = null
  /** Of the newest page. */
  private newest = 0
  /** Of pages whose records wait, in memory or on disk. */
  private readonly outstanding = new Set<number>()
  private readonly watchers = new Set<Watcher>()
  /**
   * The bytes of pages that are done with, for the next: V8 answers ten megabytes a second of memory outside its heap with
   * full collections, and requests wait for these.
   */
  private readonly spare: Buffer[] = []
  private readonly mostPages: number
  private readonly mostPerPage: number
  private readonly before: string
  private readonly after: string

  /**
   * @param mostBytes what may wait in memory; more is dropped, and counted
   * @param mostPerBatch records in a batch
   * @param before what stands before the records in the body of a call; its last character begins an array
   * @param after what stands after them; its first character ends that array
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
    if (page.count > 0) page.bytes[page.end++] = COMMA
    page.end += page.bytes.write(json, page.end)
    if (more !== '') {
      // Over the brace that closes the object.
      page.end += page.bytes.write(more, page.end - 1) - 1
      page.bytes[page.end++] = CLOSING_BRACE
    }
    page.count++
    this.length++
    this.inMemory++
  }

  /** What is pushed from now on does not stand in a page before this one. */
  get mark(): number {
    return this.newest
  }

  /**
   * Resolves when the record that was pushed last has been taken, or that time is over. What is lost, and counted as dropped,
   * is not waited for.
   * @param since a {@link mark}: waits for all records that were pushed since then
   * @returns whether they have been taken
   */
  stored(withinMs: number, since = this.newest): Promise<boolean> {
    let left = 0
    for (let number = since; number <= this.newest; number++) if (this.outstanding.has(number)) left++
    if (left === 0) return Promise.resolve(true)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const watcher: Watcher = { first: since, last: this.newest, left, resolve }
    this.watchers.add(watcher)
    const timer = setTimeout(() => {
      this.watchers.delete(watcher)
      resolve(false)
    }, withinMs)
    return promise.finally(() => clearTimeout(timer))
  }

  /** Those in memory, in the order in which they are to be sent. */
  waiting(): readonly Page[] {
    return this.pages
  }

  /** Whether memory is more than half full. */
  get crowded(): boolean {
    return this.pages.length * 2 > this.mostPages
  }

  /** The body of a call with a page's records, to which none are added any more. */
  body(page: Page): Buffer {
    this.seal(page)
    return page.bytes.subarray(0, page.end + page.bytes.write(this.after, page.end))
  }

  /** The records of a page as an array in JSON, without the bracket that closes it. */
  content({ bytes, end }: Page): Buffer {
    return bytes.subarray(this.before.length - 1, end)
  }

  seal(page: Page): void {
    page.sealed = true
    if (this.open === page) this.open = null
  }

  /** Has the other pages be sent before this one. */
  defer(page: Page): void {
    this.pages.push(...this.pages.splice(this.pages.indexOf(page), 1))
  }

  /** A page needs no memory any more: it is sealed, and all of it is on disk. */
  release(page: Page): void {
    this.pages.splice(this.pages.indexOf(page), 1)
    this.inMemory -= page.count
    this.reuse(page)
  }

  /** A page in memory was taken, or refused for good. */
  taken(page: Page): void {
    this.release(page)
    this.done(page.number, page.count)
  }

  /** A process that ended has left these on disk. */
  adopt(count: number): void {
    this.length += count
  }

  /** Records on disk were taken, or are lost. @param page what they stood in, if this process has written them */
  done(page: number | null, count: number): void {
    this.length -= count
    if (page === null) return
    this.outstanding.delete(page)
    for (const watcher of this.watchers) {
      if (page < watcher.first || page > watcher.last || --watcher.left > 0) continue
      this.watchers.delete(watcher)
      watcher.resolve(true)
    }
  }

  /** @param length UTF-16 code units of a record */
  private pageFor(length: number): Page | null {
    const { open } = this
    // In UTF-8 a UTF-16 code unit takes three bytes at most.
    const room = length * 3 + 1 + this.after.length
    if (open !== null && open.count < this.mostPerPage && open.end + room <= open.bytes.length) return open
    if (this.pages.length >= this.mostPages) return null
    if (open !== null) open.sealed = true
    const bytes = this.bytesFor(this.before.length + room)
    const end = bytes.write(this.before)
    const since = performance.now()
    const number = ++this.newest
    const page: Page = {
      number,
      bytes,
      end,
      count: 0,
      sealed: false,
      since,
      file: null,
      savedAt: since,
      lent: false,
      ...untried(),
    }
    this.pages.push(page)
    this.outstanding.add(number)
    this.open = page
    return page
  }

  private bytesFor(room: number): Buffer {
    if (room > PAGE_BYTES) return Buffer.allocUnsafeSlow(room)
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(PAGE_BYTES)
  }

  private reuse({ bytes, lent, failures }: Page): void {
    // A call that was given up may still have hold of them.
    if (bytes.length === PAGE_BYTES && !lent && failures === 0 && this.spare.length < MOST_SPARE) this.spare.push(bytes)
  }
}
