import { LRUCache } from 'lru-cache'

import type { Call } from './endpoint.ts'

/** Bytes of all that are known. */
const MOST_BYTES = 8 * 1_048_576
/** Of a longer body, reading is a small part of what it costs. */
const LONGEST = 131_072

/**
 * Bodies that come again and again, each read once: most of what an answer from memory costs would be the reading of its
 * request. Nothing here is of one client: whoever sends the same bytes has the same call.
 */
export class KnownCalls<T extends Call> {
  private readonly calls = new LRUCache<string, T>({ maxSize: MOST_BYTES, sizeCalculation: sizeOf })
  /** Those that there have been: of most bodies their length tells that they are new. */
  private readonly lengths = new Set<number>()

  /** @returns null: it is to be read */
  find(body: Buffer): T | null {
    if (!this.lengths.has(body.length)) return null
    return this.calls.get(body.toString('latin1')) ?? null
  }

  /** @returns false: it is too long, or its text is gone */
  add(call: T): boolean {
    const { text } = call
    if (text === '' || text.length > LONGEST) return false
    this.lengths.add(text.length)
    this.calls.set(text, call)
    return true
  }

  clear(): void {
    this.calls.clear()
    this.lengths.clear()
  }
}

/** Its bytes are there as text, and as they came. */
function sizeOf(_: Call, text: string): number {
  return 2 * text.length + 1_000
}
