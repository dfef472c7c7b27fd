/** A text in pieces, which are put into another order without being copied: a chain of ranges of the source. */

const FIELDS = 3
const START = 0
const END = 1
const NEXT = 2
/** From this length on, the call that copies many bytes at once is worth its price. */
const LONG = 64
/** Room for so many is kept from one text to the next: 48 KiB. */
const KEPT = 4_096

export class Pieces {
  /** Also the number that the next one will have. */
  count = 0
  private links = new Int32Array(KEPT * FIELDS)

  clear(): void {
    this.count = 0
    if (this.links.length > KEPT * FIELDS) this.links = new Int32Array(KEPT * FIELDS)
  }

  /** One more, after the last one that was added unless it is told otherwise; an empty range is none. */
  add(start: number, end: number): void {
    if (end === start) return
    const at = this.count * FIELDS
    if (at === this.links.length) this.links = grown(this.links)
    const { links } = this
    links[at] = start
    links[at + END] = end
    links[at + NEXT] = ++this.count
  }

  startOf(piece: number): number {
    return this.links[piece * FIELDS + START]!
  }

  /** Leaves out what stands before a place in a piece. */
  startAt(piece: number, start: number): void {
    this.links[piece * FIELDS + START] = start
  }

  /** @param next may be one that is yet to be added */
  follow(piece: number, next: number): void {
    this.links[piece * FIELDS + NEXT] = next
  }

  /**
   * Writes them in their order, from the first on.
   * @param text the source
   * @param bytes the source, too
   * @returns where they end
   */
  write(text: string, bytes: Buffer, target: Buffer, from: number): number {
    const { links, count } = this
    let to = from
    for (let piece = 0; piece < count;) {
      let i = links[piece * FIELDS + START]!
      let end = links[piece * FIELDS + END]!
      piece = links[piece * FIELDS + NEXT]!
      while (piece < count && links[piece * FIELDS + START] === end) {
        end = links[piece * FIELDS + END]!
        piece = links[piece * FIELDS + NEXT]!
      }
      if (end - i < LONG) while (i < end) target[to++] = bytes[i++]!
      else to += target.write(text.slice(i, end), to, 'latin1')
    }
    return to
  }
}

/** The same with room for twice as much. */
export function grown(list: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(list.length * 2)
  larger.set(list)
  return larger
}
