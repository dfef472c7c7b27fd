/** The answers that can be given again, as requests ask for them: this process's first, then those that all proxies share. */
import { getHeapStatistics } from 'node:v8'

import type { CacheReport, CacheTier, PurgeScope } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Redis } from '../redis/redis.ts'
import { isPurged, type StoredAnswer } from './answer.ts'
import { MemoryRoom } from './memory-tier.ts'
import { MemoryAnswers, sizeOf } from './memory.ts'
import { Outcomes } from './outcomes.ts'
import { nameOf, Purges } from './purges.ts'
import { RedisAnswers } from './redis.ts'
import type { AnswerScope, MemoryStore, SharedLook, SharedStore } from './store.ts'

/** A larger answer is not stored, whatever room there is. */
const MOST_ANSWER_BYTES = 4 * 1024 * 1024
/** How long a request waits for Redis. */
export const CACHE_DEADLINE_MS = 50

export interface Hit {
  readonly answer: StoredAnswer
  readonly tier: CacheTier
}

/** How things stood before a provider was asked: its answer is stored only if no purge has meant it since. */
export interface Fill {
  /** Purges that this process had carried out. */
  readonly purges: number
  /** Those that the shared tier knew of; null: it could not be asked, and is not given the answer. */
  readonly mark: string | null
}

export interface Lookup {
  readonly hit: Hit | null
  readonly fill: Fill
}

/** A purge that the shared tier may not know of yet. */
interface Unsaid {
  readonly instructionId: string
  readonly scope: PurgeScope
  /** How many are gone from memory by it, once they are. */
  readonly gone: Promise<number>
}

export class AnswerCache {
  /** For whatever else is kept in memory, within the same bytes. Purged with the answers. */
  readonly room: MemoryRoom
  /** An answer that takes more of memory is not stored, in any tier. */
  readonly mostAnswerBytes: number
  /** What requests came to; who answers them counts. */
  readonly outcomes = new Outcomes()
  readonly #memory: MemoryStore
  readonly #shared: SharedStore | null
  readonly #purges = new Purges()
  /** By scope. */
  readonly #unsaid = new Map<string, Unsaid>()
  /** What the shared tier is being asked, by key: for all who want to know the same. */
  readonly #looks = new Map<string, Promise<SharedLook | null>>()
  #stores = 0

  constructor(room: MemoryRoom, shared: SharedStore | null) {
    this.room = room
    this.mostAnswerBytes = room.mostBytes === 0 ? MOST_ANSWER_BYTES : Math.min(MOST_ANSWER_BYTES, room.mostEntryBytes)
    this.#memory = new MemoryAnswers(room)
    this.#shared = shared
  }

  /** What was purged: for whatever else is in the {@link room}. */
  get purges(): Purges {
    return this.#purges
  }

  /** As reports tell it. */
  report(): CacheReport {
    const { memoryHits, sharedHits, misses, bypasses, coalesced } = this.outcomes
    const { entries, bytes } = this.#memory
    return { entries, bytes, hits: memoryHits + sharedHits, misses, stores: this.#stores, bypasses, coalesced }
  }

  /** Values in the shared tier that nobody here has written so. */
  get unreadable(): number {
    return this.#shared?.unreadable ?? 0
  }

  /** Answers that the shared tier was not given, or has not taken. */
  get skipped(): number {
    return this.#shared?.skipped ?? 0
  }

  /**
   * Looks for an answer. Never fails; without a promise where the shared tier is not asked.
   * @param maxAgeMs an older answer is none; 0: none is asked for
   */
  look(key: string, scope: AnswerScope, maxAgeMs = Infinity): Lookup | Promise<Lookup> {
    const purges = this.#purges.count
    const hit = this.#lookHere(key, maxAgeMs)
    if (hit !== null || this.#shared?.ready !== true) return { hit, fill: { purges, mark: null } }
    if (maxAgeMs > 0) return this.#lookShared(this.#shared, key, scope, maxAgeMs, purges)
    return lookedPast(purges, this.#shared.mark(scope))
  }

  /**
   * Stores an answer, until it expires.
   * @param fill from when it was looked for
   * @returns false: it is too large, or was purged meanwhile
   */
  store(key: string, answer: StoredAnswer, fill: Fill): boolean {
    if (sizeOf(answer) + key.length > this.mostAnswerBytes || this.#purges.meant(fill.purges, answer)) return false
    this.#memory.set(key, answer)
    if (fill.mark !== null) this.#shared?.set(key, answer, fill.mark)
    this.#stores++
    return true
  }

  /**
   * Makes answers unreachable, those too that are being fetched: at once for this process, and for all as soon as the shared
   * tier is told. To be called again, with the same id, until it succeeds.
   * @returns how many are gone from memory, and from the shared tier by this call, within a moment
   * @throws Error if the shared tier may not know of it
   */
  async purge(scope: PurgeScope, instructionId: string): Promise<number> {
    const name = nameOf(scope.projectId, scope.model)
    let unsaid = this.#unsaid.get(name)
    if (unsaid?.instructionId !== instructionId) {
      this.#purges.add(scope)
      this.#looks.clear()
      // It means whatever those do, of which some may never be told: see Instructions.
      if (scope.projectId === null && scope.model === null) this.#unsaid.clear()
      unsaid = { instructionId, scope, gone: this.#memory.purge(scope) }
      if (this.#shared !== null) this.#unsaid.set(name, unsaid)
    }
    const shared = (await this.#shared?.purge(scope, instructionId)) ?? 0
    // A later purge of the same is still to be told.
    if (this.#unsaid.get(name) === unsaid) this.#unsaid.delete(name)
    return shared + (await unsaid.gone)
  }

  #lookHere(key: string, maxAgeMs: number): Hit | null {
    if (maxAgeMs <= 0) return null
    const answer = this.#memory.get(key)
    return answer !== null && isYoung(answer, maxAgeMs) ? { answer, tier: 'MEMORY' } : null
  }

  async #lookShared(
    shared: SharedStore,
    key: string,
    scope: AnswerScope,
    maxAgeMs: number,
    purges: number,
  ): Promise<Lookup> {
    let looking = this.#looks.get(key)
    if (looking === undefined) {
      looking = shared.look(key, scope)
      this.#looks.set(key, looking)
    }
    const look = await looking
    if (this.#looks.get(key) === looking) this.#looks.delete(key)
    const fill: Fill = { purges, mark: look?.mark ?? null }
    // Another may have stored it meanwhile.
    const here = this.#lookHere(key, maxAgeMs)
    if (here !== null) return { hit: here, fill }
    const answer = look?.answer ?? null
    if (answer === null || !this.#isGiven(answer, purges)) return { hit: null, fill }
    this.#memory.set(key, answer)
    return { hit: isYoung(answer, maxAgeMs) ? { answer, tier: 'SHARED' } : null, fill }
  }

  /** Whether no purge means what the shared tier has given. @param purges as it was before it was asked */
  #isGiven(answer: StoredAnswer, purges: number): boolean {
    if (this.#purges.meant(purges, answer)) return false
    for (const { scope } of this.#unsaid.values()) if (isPurged(scope, answer)) return false
    return true
  }
}

async function lookedPast(purges: number, mark: Promise<string | null>): Promise<Lookup> {
  return { hit: null, fill: { purges, mark: await mark } }
}

function isYoung({ storedAt }: StoredAnswer, maxAgeMs: number): boolean {
  return maxAgeMs === Infinity || Date.now() - storedAt <= maxAgeMs
}

export interface CacheOptions {
  /** For memory; 0: none. */
  readonly bytes: number
  /** A connection of its own, whose deadline is {@link CACHE_DEADLINE_MS}. */
  readonly redis: Redis | null
  readonly log: Logger
}

/** Puts together what one process keeps answers in. */
export function openCache({ bytes, redis, log }: CacheOptions): AnswerCache {
  const heapBytes = getHeapStatistics().heap_size_limit
  if (bytes > heapBytes / 2)
    log.warn({ bytes, heapBytes }, 'MILLRACE_CACHE_BYTES may take more memory than node has: see --max-old-space-size')
  return new AnswerCache(new MemoryRoom(bytes), redis && new RedisAnswers(redis))
}
