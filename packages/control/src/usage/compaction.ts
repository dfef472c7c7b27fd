/** Sums up what batches of records have added, in the background; and deletes sums that are not read any more. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { Database, Em } from '../db/database.ts'
import { USAGE_LOCK } from '../db/locks.ts'
import { FOLD_DELTAS } from './fold.ts'
import { deleteOldSums, noteKept } from './kept.ts'

/** How long a step should take; and where nothing else is done meanwhile. The longer, the less a row costs. */
const STEP_MS = 1_000
const STEP_HOLDING_MS = 100
const LEAST_ROWS = 250
const MOST_ROWS = 50_000
const MOST_GROWTH = 4

/** Rows that one step takes: as many as it has time for. */
class Stride {
  rows = 1_000
  readonly #stepMs: number

  constructor(stepMs: number) {
    this.#stepMs = stepMs
  }

  /** Learns from a step. @param taken rows that it found */
  took(ms: number, taken: number): void {
    // One that found less than it might have taken does not tell how much more it could.
    if (ms > this.#stepMs || taken >= this.rows) this.#set((taken * this.#stepMs) / Math.max(ms, 1))
  }

  failed(): void {
    this.#set(this.rows / MOST_GROWTH)
  }

  #set(rows: number): void {
    this.rows = Math.round(Math.min(MOST_ROWS, MOST_GROWTH * this.rows, Math.max(LEAST_ROWS, rows)))
  }
}

export class Compaction {
  readonly #database: Database
  readonly #recordDays: number
  readonly #stride: Stride

  /** @param recordDays for how many days records are kept */
  constructor(database: Database, recordDays: number) {
    this.#database = database
    this.#recordDays = recordDays
    this.#stride = new Stride(database.holdsProcess ? STEP_HOLDING_MS : STEP_MS)
  }

  /**
   * Sums up what is there, in steps, and rests between them for as long as each took. Several processes may do so on one
   * database: one at a time does.
   * @param signal ends it after a step
   */
  async run(signal: AbortSignal): Promise<void> {
    await noteKept(this.#database.em(), this.#recordDays)
    while (!signal.aborted) {
      const began = performance.now()
      if (!(await this.step())) return
      await sleep(performance.now() - began, undefined, { signal }).catch(() => undefined)
    }
  }

  /** @returns whether there may be more to do */
  async step(): Promise<boolean> {
    const { rows: wanted } = this.#stride
    const began = performance.now()
    try {
      const taken = await exclusively(this.#database, async (em) => {
        const [row] = await em.execute<{ rows: number }[]>(FOLD_DELTAS, [wanted])
        return row!.rows
      })
      if (taken === null) return false
      this.#stride.took(performance.now() - began, taken)
      if (taken >= wanted) return true
      return (await exclusively(this.#database, (em) => deleteOldSums(em))) ?? false
    } catch (error) {
      this.#stride.failed()
      throw error
    }
  }
}

/** @returns null if another process is at it */
async function exclusively<T>(database: Database, work: (em: Em) => Promise<T>): Promise<T | null> {
  return database.em().transactional(async (em) => {
    const [row] = await em.execute<{ locked: boolean }[]>('select pg_try_advisory_xact_lock(?) as locked', [USAGE_LOCK])
    return row!.locked ? work(em) : null
  })
}
