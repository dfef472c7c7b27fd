import type { ServerResponse } from 'node:http'

/**
 * Writes a streamed body in chunks (RFC 9112, section 7.1), each as one string. Node's own framing writes four pieces a
 * chunk, which is a third of a stream's CPU.
 */
export class ChunkedBody {
  private readonly res: ServerResponse
  private readonly chunked: boolean

  /** @param res its head written, and nothing of its body */
  constructor(res: ServerResponse) {
    this.res = res
    // Node has decided by now; a client of HTTP/1.0 gets the bytes bare, and the connection's end.
    this.chunked = res.chunkedEncoding
    res.chunkedEncoding = false
  }

  /** @param text bytes as latin1, at least one @returns false if the client takes no more for now */
  write(text: string): boolean {
    return this.res.write(this.chunked ? frame(text) : text, 'latin1')
  }

  /** What is to be the end of the response. @param text the last bytes, as latin1 */
  last(text: string): string {
    if (!this.chunked) return text
    return text === '' ? LAST_CHUNK : frame(text) + LAST_CHUNK
  }
}

const LAST_CHUNK = '0\r\n\r\n'

function frame(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}
