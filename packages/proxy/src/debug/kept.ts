import { Bytes } from '../bytes.ts'

/** What all that is kept of exchanges takes, in one process. */
export interface Held {
  bytes: number
}

/** Bytes that are kept, outside the JavaScript heap, of all exchanges that are under way or wait to be sent. */
export const MOST_HELD = 33_554_432

/** The beginning of a body. */
export class Kept {
  /** Bytes of the body so far; {@link length} of them are kept. */
  total = 0
  private bytes = new Bytes()
  private readonly most: number

  constructor(most: number) {
    this.most = most
  }

  get length(): number {
    return this.bytes.length
  }

  /** Adds what comes next. @returns how many bytes more are kept */
  add(chunk: Buffer): number {
    this.total += chunk.length
    const room = Math.min(chunk.length, this.most - this.bytes.length)
    // What comes from a socket is a part of something larger, which would be held as well.
    if (room > 0) this.bytes.append(Buffer.from(chunk.subarray(0, room)))
    return Math.max(0, room)
  }

  /** What is kept, which is then gone from here. */
  take(): Buffer {
    return this.bytes.take()
  }
}
