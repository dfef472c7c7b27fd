/**
 * What a process keeps in memory: several kinds of things in one room, bounded by bytes. Must never know what it keeps.
 *
 * What stays is what a segmented LRU says, made of two of the library's: what is asked for again moves to the segment that is
 * protected, of up to 80 % of the room, and only from there falls back; what is new drives out only what else was asked for
 * once. So things that are asked for once, however many, do not drive out what is in use.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

import { LRUCache } from 'lru-cache'

/** Anything that can be kept. */
export interface Kept {
  readonly projectId: string
  /** As clients ask for it; null: no model was asked for. */
  readonly model: string | null
  /** In milliseconds since 1970. */
  readonly expiresAt: number
}

/**
 * What an entry takes beside its texts and numbers: the objects themselves, their strings' heads, the library's lists, its
 * place in a Map. Measured on a 64-bit V8: 470 bytes for an answer with two headers, and 150 more for a stream's.
 */
export const ENTRY_BYTES = 640
/** Of a string beside its characters, and the place that points to it. */
export const STRING_BYTES = 24

/** One thing may take as much of the room, so that a few do not empty it. */
const LARGEST_PART = 1 / 8
/** As much of the room may be taken by what was asked for again. */
const OFTEN_PART = 0.8
/** A walk over all entries lets others run after so long. */
const SLICE_MS = 5
const ENTRIES_BETWEEN_LOOKS = 128

interface Purge {
  readonly means: (kept: Kept) => boolean
  /** Keys that were set since it began: it does not mean those. */
  readonly since: Set<string>
}

/** The room that all kinds share. */
export class MemoryRoom {
  /** As much as all entries may take; 0: nothing is kept. */
  readonly mostBytes: number
  /** As much as one may take. */
  readonly mostEntryBytes: number
  /** What nobody has asked for since it was set, or not for long. */
  readonly #once: LRUCache<string, Kept>
  /** What was asked for again, and lately. */
  readonly #often: LRUCache<string, Kept>
  /** Of both: while it is walked over, which takes its time, others may come and go. */
  readonly #keys = new Set<string>()
  /** Those that are under way: nearly always none. */
  readonly #purges = new Set<Purge>()
  /** @param mostBytes 0: nothing is kept */
  constructor(mostBytes: number) {
    this.mostBytes = mostBytes
    this.mostEntryBytes = Math.floor(mostBytes * LARGEST_PART)
    // One of the two makes room for the other: the library's own bounds are never met.
    const maxSize = Math.max(1, 2 * mostBytes)
    this.#once = new LRUCache({ maxSize })
    this.#often = new LRUCache({ maxSize })
  }

  get entries(): number {
    return this.#keys.size
  }

  get bytes(): number {
    return this.#once.calculatedSize + this.#often.calculatedSize
  }

  /** Null: it is not there, or its time is over. */
  get(key: string): Kept | null {
    const kept = this.#often.get(key) ?? this.#askedAgain(key)
    if (kept === null) return null
    if (kept.expiresAt > Date.now()) return this.#purges.size === 0 || !this.#isPurged(key, kept) ? kept : null
    this.delete(key)
    return null
  }

  /** @returns false: it is too large. What is not worth its room may be gone at once, too */
  set(key: string, kept: Kept, bytes: number): boolean {
    if (this.mostBytes === 0 || bytes > this.mostEntryBytes) return false
    for (const { since } of this.#purges) since.add(key)
    if (this.#often.has(key)) this.#often.set(key, kept, { size: bytes })
    else this.#once.set(key, kept, { size: bytes })
    this.#keys.add(key)
    this.#holdBounds()
    return true
  }

  /** @returns whether it was there */
  delete(key: string): boolean {
    return this.#keys.delete(key) && (this.#once.delete(key) || this.#often.delete(key))
  }

  /**
   * Makes what is meant unreachable from now on, and takes it out in slices. What is set from now on is not meant.
   * @returns how many were taken out
   */
  async purge(means: (kept: Kept) => boolean): Promise<number> {
    const purge: Purge = { means, since: new Set() }
    this.#purges.add(purge)
    let taken = 0
    let seen = 0
    let began = performance.now()
    for (const key of this.#keys) {
      const kept = this.#once.peek(key) ?? this.#often.peek(key)!
      if (means(kept) && !purge.since.has(key)) {
        this.delete(key)
        taken++
      }
      if (++seen % ENTRIES_BETWEEN_LOOKS !== 0 || performance.now() - began < SLICE_MS) continue
      await nextTurn()
      began = performance.now()
    }
    this.#purges.delete(purge)
    return taken
  }

  #isPurged(key: string, kept: Kept): boolean {
    for (const { means, since } of this.#purges) if (means(kept) && !since.has(key)) return true
    return false
  }

  /** @returns null: it is not there */
  #askedAgain(key: string): Kept | null {
    const kept = move(key, this.#once, this.#often)
    if (kept !== null) this.#holdBounds()
    return kept
  }

  #holdBounds(): void {
    const [once, often] = [this.#once, this.#often]
    while (often.calculatedSize > OFTEN_PART * this.mostBytes) move(often.rkeys().next().value!, often, once)
    while (this.bytes > this.mostBytes) this.delete((once.size > 0 ? once : often).rkeys().next().value!)
  }
}

function move(key: string, from: LRUCache<string, Kept>, to: LRUCache<string, Kept>): Kept | null {
  const info = from.info(key)
  if (info === undefined) return null
  from.delete(key)
  to.set(key, info.value, { size: info.size! })
  return info.value
}

/** One kind of things in the room. */
export class MemoryTier<T extends Kept> {
  readonly #room: MemoryRoom
  readonly #prefix: string
  readonly #sizeOf: (value: T) => number

  /**
   * @param prefix no key of another kind in this room begins with it, or, if it is empty, like one of this kind
   * @param sizeOf what a value takes of memory, in bytes, with its {@link ENTRY_BYTES}; of its key it need not know
   */
  constructor(room: MemoryRoom, prefix: string, sizeOf: (value: T) => number) {
    this.#room = room
    this.#prefix = prefix
    this.#sizeOf = sizeOf
  }

  /** As {@link MemoryRoom.get}. */
  get(key: string): T | null {
    return this.#room.get(this.#prefix + key) as T | null
  }

  /** As {@link MemoryRoom.set}. */
  set(key: string, value: T): boolean {
    const { length } = this.#prefix + key
    return this.#room.set(this.#prefix + key, value, this.#sizeOf(value) + length)
  }

  /** As {@link MemoryRoom.delete}. */
  delete(key: string): boolean {
    return this.#room.delete(this.#prefix + key)
  }
}
