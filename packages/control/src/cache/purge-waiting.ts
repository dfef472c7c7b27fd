/** Waits until proxies have told that they have carried a purge out, to whichever control process. */
import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { Watch } from '../db/watch.ts'
import { progressOf, PURGE_DONE_CHANNEL } from './purges.ts'

/** A proxy that does not tell keeps nobody waiting for longer. */
const LONGEST_WAIT_MS = 2_000
/** Also how soon it is seen that a proxy has gone, of which nothing is announced. */
const POLL_MS = 250
/** Many processes tell at the same time. */
const REST_MS = 20

interface Waiting {
  count: number
  readonly end: () => void
}

export class PurgeWaiting {
  readonly #database: Database
  readonly #watch: Watch
  /** By the purge's id. */
  readonly #waiting = new Map<string, Waiting>()

  constructor(database: Database, log: Logger) {
    this.#database = database
    const options = { channel: PURGE_DONE_CHANNEL, what: 'how far purges are', pollMs: POLL_MS, restMs: REST_MS }
    this.#watch = new Watch(database, () => this.#look(), options, log)
  }

  start(): Promise<void> {
    return this.#watch.start()
  }

  close(): Promise<void> {
    return this.#watch.close()
  }

  /** Resolves when every proxy that is online has told, or has had its time. @returns how many answers are gone by then */
  async until(id: string): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiting: Waiting = { count: 0, end: resolve }
    this.#waiting.set(id, waiting)
    const limit = setTimeout(resolve, LONGEST_WAIT_MS)
    void this.#watch.look()
    await promise
    clearTimeout(limit)
    this.#waiting.delete(id)
    return waiting.count
  }

  async #look(): Promise<void> {
    if (this.#waiting.size === 0) return
    for (const { id, count, complete } of await progressOf(this.#database, [...this.#waiting.keys()])) {
      const waiting = this.#waiting.get(id)
      if (waiting === undefined) continue
      waiting.count = count
      if (complete) waiting.end()
    }
  }
}
