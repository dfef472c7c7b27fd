/** Tells subscribers of the rows of a table that only grows, as they become visible, whichever process writes them. */
import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { Watch } from '../db/watch.ts'
import { Bus, type BusCounts } from './bus.ts'
import type { Mailbox } from './mailbox.ts'
import { inPortions } from './portions.ts'
import { weightOf } from './weight.ts'

const POLL_MS = 1_000
/** Rows read at once. */
const PAGE = 500
/** Rows that may wait for one subscriber. */
const CAPACITY = 1_000

/** A table whose rows are numbered in the order in which they become visible. */
export interface Followed<T> {
  /** Notified when there is a row. */
  readonly channel: string
  /** What the rows are, for the log. */
  readonly what: string
  readonly database: Database
  /** The newest number; 0 where there is none. */
  newest(): Promise<number>
  /** The next rows after a number. */
  after(number: number, most: number): Promise<readonly T[]>
  numberOf(row: T): number
}

export class Follower<T> {
  readonly #table: Followed<T>
  readonly #bus = new Bus<T>(weightOf)
  readonly #watch: Watch
  /** Of the last that was told, or that was there before anybody listened. */
  #number = 0

  constructor(table: Followed<T>, log: Logger) {
    this.#table = table
    const options = { channel: table.channel, what: table.what, pollMs: POLL_MS, restMs: 0 }
    this.#watch = new Watch(table.database, () => this.#look(), options, log)
  }

  start(): Promise<void> {
    return this.#watch.start()
  }

  close(): Promise<void> {
    return this.#watch.close()
  }

  get counts(): BusCounts {
    return this.#bus.counts
  }

  /** Each wanted row from now on. */
  subscribe(wants: (row: T) => boolean): Mailbox<T> {
    return this.#bus.subscribe(CAPACITY, wants)
  }

  async #look(): Promise<void> {
    const newest = await this.#table.newest()
    // Lower: the database was set back.
    if (this.#bus.size === 0 || newest < this.#number) {
      this.#number = newest
      return
    }
    while (this.#number < newest) {
      const rows = await this.#table.after(this.#number, PAGE)
      if (rows.length === 0) return
      await inPortions(rows, (row) => this.#bus.publish(row))
      this.#number = this.#table.numberOf(rows.at(-1)!)
    }
  }
}
