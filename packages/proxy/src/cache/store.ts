/** Where answers are kept: what a tier is, for the cache that asks one after the other. Must never know requests. */
import type { PurgeScope } from '@millrace/shared'

import type { StoredAnswer } from './answer.ts'

/** Whose answers are looked for. */
export type AnswerScope = Pick<StoredAnswer, 'projectId' | 'model'>

/** In this process. Bounded by bytes; an answer that is not worth its room may be gone at once. */
export interface MemoryStore {
  /** Null: there is none, or its time is over. */
  get(key: string): StoredAnswer | null
  /** @returns false: it is too large */
  set(key: string, answer: StoredAnswer): boolean
  /** Makes answers unreachable from now on, at once. @returns how many are gone, once they are */
  purge(scope: PurgeScope): Promise<number>
  readonly entries: number
  readonly bytes: number
}

/**
 * What all proxies share. It may be slow, away, or hold what nobody here has written: each is a miss, counted, and never an
 * error. Nothing waits for it longer than 50 ms.
 */
export interface SharedStore {
  /** Whether it would be asked now. */
  readonly ready: boolean
  /** @returns null if nothing can be said */
  look(key: string, scope: AnswerScope): Promise<SharedLook | null>
  /** As {@link look}, without an answer. @returns null if nothing can be said */
  mark(scope: AnswerScope): Promise<string | null>
  /**
   * Keeps an answer until it expires, in the background.
   * @param mark what {@link look} gave before a provider was asked: an answer of before a purge is then none
   */
  set(key: string, answer: StoredAnswer, mark: string): void
  /**
   * Makes answers unreachable from now on, and deletes them as time allows. The same instruction may come from several
   * proxies, and again.
   * @returns how many this call has deleted
   * @throws Error if it is not certain to have been done: then it is to be called again
   */
  purge(scope: PurgeScope, instructionId: string): Promise<number>
  /** Values that nobody here has written so: each was a miss. */
  readonly unreadable: number
  /** Answers that were not kept: it was away, too slow, full, or has refused them. */
  readonly skipped: number
}

export interface SharedLook {
  readonly answer: StoredAnswer | null
  /** How purges stand. Opaque. */
  readonly mark: string
}
