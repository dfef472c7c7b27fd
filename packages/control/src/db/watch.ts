/** Looks at the database whenever a channel is notified, and regularly in case a notification was missed. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { Logger } from 'pino'

import type { Database, Unlisten } from './database.ts'
import { joined } from './joined.ts'

export interface WatchOptions {
  readonly channel: string
  /** What it looks at, for the log. */
  readonly what: string
  readonly pollMs: number
  /** Between two looks, however often there is a notification. */
  readonly restMs: number
}

export class Watch {
  readonly #database: Database
  readonly #work: () => Promise<void>
  readonly #options: WatchOptions
  readonly #log: Logger
  readonly #stop = new AbortController()
  readonly #look = joined(() => this.#lookNow())
  #unlisten: Unlisten | null = null
  #poll: NodeJS.Timeout | null = null
  #restedAt = 0
  /** Whether the last look was in vain: said once, not each time. */
  #failing = false

  constructor(database: Database, work: () => Promise<void>, options: WatchOptions, log: Logger) {
    this.#database = database
    this.#work = work
    this.#options = options
    this.#log = log
  }

  /** Resolves after the first look. */
  async start(): Promise<void> {
    const { channel, pollMs } = this.#options
    this.#unlisten = await this.#database.listen(channel, () => void this.look())
    this.#poll = setInterval(() => void this.look(), pollMs)
    await this.look()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    if (this.#poll) clearInterval(this.#poll)
    await this.#unlisten?.()
    await this.look()
  }

  /** Resolves after a look that began after this call; one that failed is made up for by the poll. */
  look(): Promise<void> {
    return this.#look()
  }

  async #lookNow(): Promise<void> {
    const { signal } = this.#stop
    await sleep(Math.max(0, this.#restedAt - performance.now()), undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    try {
      await this.#work()
      if (this.#failing) this.#log.info(`${this.#options.what} can be read again`)
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#log.warn({ reason: (error as Error).message }, `cannot read ${this.#options.what}`)
      this.#failing = true
    }
    this.#restedAt = performance.now() + this.#options.restMs
  }
}
