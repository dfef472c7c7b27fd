/** Reads HTTP answers off a connection: checks status and length, keeps the body only where asked. */

const HEAD_END = Buffer.from('\r\n\r\n')
const CR = 13

export type ReadState = 'more' | 'done' | { readonly error: string }

export class AnswerReader {
  readonly #expected: number
  #keep = false
  #body: Buffer[] = []
  #pending: Buffer | null = null
  #headRead = false
  #chunked = false
  #received = 0
  /** Of the current chunk, its closing CRLF included; -1: a size line comes next; -2: the last CRLF comes next. */
  #left = -1

  constructor(expectedBytes: number) {
    this.#expected = expectedBytes
  }

  /** For the next answer. */
  reset(keepBody: boolean): void {
    this.#keep = keepBody
    this.#body = []
    this.#pending = null
    this.#headRead = false
    this.#received = 0
    this.#left = -1
  }

  get body(): string {
    return Buffer.concat(this.#body).toString('latin1')
  }

  read(bytes: Buffer): ReadState {
    const data = this.#pending ? Buffer.concat([this.#pending, bytes]) : bytes
    this.#pending = null
    if (this.#headRead) return this.#chunked ? this.#readChunks(data, 0) : this.#readLength(data, 0)
    const end = data.indexOf(HEAD_END)
    if (end < 0) {
      this.#pending = data
      return 'more'
    }
    this.#headRead = true
    const head = data.toString('latin1', 0, end)
    if (!head.startsWith('HTTP/1.1 200 ')) return { error: `not a 200: ${data.toString('latin1', 0, 1_000)}` }
    const length = /\r\ncontent-length: ?(\d+)/i.exec(head)
    this.#chunked = !length
    if (!length) return this.#readChunks(data, end + 4)
    if (Number(length[1]) !== this.#expected) return { error: `${length[1]} bytes announced, not ${this.#expected}` }
    return this.#readLength(data, end + 4)
  }

  #take(data: Buffer, from: number, to: number): void {
    this.#received += to - from
    if (this.#keep) this.#body.push(Buffer.from(data.subarray(from, to)))
  }

  #readLength(data: Buffer, from: number): ReadState {
    this.#take(data, from, data.length)
    return this.#received < this.#expected ? 'more' : this.#complete()
  }

  #complete(): ReadState {
    return this.#received === this.#expected ? 'done' : { error: `${this.#received} bytes came, not ${this.#expected}` }
  }

  #readChunks(data: Buffer, start: number): ReadState {
    let at = start
    while (at < data.length) {
      if (this.#left >= 0) {
        const to = Math.min(data.length, at + this.#left)
        const payload = Math.min(to, at + Math.max(0, this.#left - 2))
        this.#take(data, at, payload)
        this.#left -= to - at
        at = to
        if (this.#left === 0) this.#left = -1
        continue
      }
      const lineEnd = data.indexOf(CR, at)
      if (lineEnd < 0 || lineEnd + 1 >= data.length) {
        this.#pending = Buffer.from(data.subarray(at))
        return 'more'
      }
      if (this.#left === -2) return this.#complete()
      const size = Number.parseInt(data.toString('latin1', at, lineEnd), 16)
      if (Number.isNaN(size)) return { error: `a bad chunk size: ${data.toString('latin1', at, lineEnd)}` }
      this.#left = size === 0 ? -2 : size + 2
      at = lineEnd + 2
    }
    return 'more'
  }
}
