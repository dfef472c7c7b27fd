/**
 * Finished requests that wait to be sent, as the bytes of their JSON. Kept in pages outside the heap: as strings they
 * outlived several young collections each, and were joined and encoded once more before each call.
 */

/** Records of a page, parted by commas; it grows until it is full or its sending begins. */
interface Page {
  readonly bytes: Buffer
  length: number
  count: number
  sealed: boolean
}

/** A batch on its way: `bytes` are the records' JSON texts, parted by commas. */
export interface RecordBatch {
  readonly bytes: Buffer
  readonly count: number
}

const PAGE_BYTES = 524_288
const COMMA = 0x2c

export class RecordQueue {
  /** Records that will never be stored, since the process started, whatever the reason. */
  dropped = 0
  /** Those among them that did not fit in here. */
  overflowed = 0
  /** Records that wait. */
  length = 0
  private readonly pages: Page[] = []
  private readonly mostPages: number
  private readonly mostPerPage: number

  /**
   * @param mostBytes what may wait; more is dropped, and counted
   * @param mostPerBatch records in a batch
   */
  constructor(mostBytes: number, mostPerBatch: number) {
    this.mostPages = Math.max(1, Math.floor(mostBytes / PAGE_BYTES))
    this.mostPerPage = mostPerBatch
  }

  push(json: string): void {
    const page = this.pageFor(json)
    if (!page) {
      this.dropped++
      this.overflowed++
      return
    }
    if (page.count > 0) page.bytes[page.length++] = COMMA
    page.length += page.bytes.write(json, page.length)
    page.count++
    this.length++
  }

  /** The oldest records. They stay, as this batch, until {@link remove}. @returns null if none wait */
  batch(): RecordBatch | null {
    const page = this.pages[0]
    if (!page) return null
    page.sealed = true
    return { bytes: page.bytes.subarray(0, page.length), count: page.count }
  }

  /** Forgets the batch that {@link batch} gave: its records were stored, or refused for good. */
  remove(): void {
    this.length -= this.pages.shift()?.count ?? 0
  }

  private pageFor(json: string): Page | null {
    const last = this.pages.at(-1)
    // In UTF-8 a UTF-16 code unit takes three bytes at most.
    const room = json.length * 3 + 1
    if (last && !last.sealed && last.count < this.mostPerPage && last.length + room <= last.bytes.length) return last
    if (this.pages.length >= this.mostPages) return null
    const page = { bytes: Buffer.allocUnsafeSlow(Math.max(PAGE_BYTES, room)), length: 0, count: 0, sealed: false }
    this.pages.push(page)
    return page
  }
}
