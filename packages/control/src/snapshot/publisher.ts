/** Keeps the newest snapshot in memory and hands it to whoever listens. Goes on serving it while the database is away. */
import { setTimeout as delay } from 'node:timers/promises'

import type { Snapshot, SnapshotEvent } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Database, Unlisten } from '../db/database.ts'
import { Bus } from '../feed/bus.ts'
import type { Mailbox } from '../feed/mailbox.ts'
import { CONFIG_CHANNEL } from '../revisions/change.ts'
import { buildSnapshot } from './build.ts'

/** In case a notification is missed. */
const POLL_MS = 1_000
/**
 * Many changes in a row are published together: after a snapshot comes a rest of so many times what it took to build, and
 * at most so many milliseconds. A change is still with every proxy within a second.
 */
const REST_FACTOR = 4
const LONGEST_REST_MS = 250
/** A subscriber that is slow gets the newest, and none in between. */
const NEWEST_ONLY = 1

export class SnapshotPublisher {
  readonly #database: Database
  readonly #log: Logger
  readonly #bus = new Bus<SnapshotEvent>()
  #current: (SnapshotEvent & { readonly document: Snapshot }) | null = null
  /** The refresh under way, and whether another must follow it. */
  #refreshing: Promise<void> | null = null
  #again = false
  #unlisten: Unlisten | null = null
  #poll: NodeJS.Timeout | null = null
  #closed = false
  /** Before this no other snapshot is built, as `performance.now()`. */
  #restUntil = 0
  /** Whether the last look at the database was in vain: said once, not every second. */
  #failing = false
  readonly #listeners: (() => void)[] = []

  constructor(database: Database, log: Logger) {
    this.#database = database
    this.#log = log
  }

  /** The revision that is served; -1 before there is one. */
  get revision(): number {
    return this.#current?.revision ?? -1
  }

  /** What is served; null before there is anything. */
  get current(): Snapshot | null {
    return this.#current?.document ?? null
  }

  /** Calls back at each revision from now on. */
  onPublished(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Resolves once there is a snapshot. */
  async start(): Promise<void> {
    // First, so that nothing else publishes meanwhile. What is announced before one listens is found by the poll.
    this.#publish(await buildSnapshot(this.#database))
    this.#unlisten = await this.#database.listen(CONFIG_CHANNEL, () => void this.refresh())
    this.#schedulePoll()
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#poll) clearTimeout(this.#poll)
    await this.#unlisten?.()
    await this.#refreshing
  }

  /** The current snapshot at once, then each newer one. */
  subscribe(): Mailbox<SnapshotEvent> {
    const mailbox = this.#bus.subscribe(NEWEST_ONLY)
    if (this.#current) mailbox.post(this.#current)
    return mailbox
  }

  /** Looks for another revision. However often it is called meanwhile, it looks once more after that. */
  refresh(): Promise<void> {
    if (this.#refreshing) {
      this.#again = true
      return this.#refreshing
    }
    this.#refreshing = this.#refresh().finally(() => (this.#refreshing = null))
    return this.#refreshing
  }

  async #refresh(): Promise<void> {
    do {
      this.#again = false
      try {
        if (this.#closed) return
        if ((await this.#newest()) !== this.revision) await this.#build()
        if (this.#failing) this.#log.info('the database answers again')
        this.#failing = false
      } catch (error) {
        // The poll comes again, and until then the last one serves.
        if (!this.#failing)
          this.#log.warn({ reason: (error as Error).message }, 'cannot look for a newer configuration')
        this.#failing = true
      }
    } while (this.#again)
  }

  async #build(): Promise<void> {
    await delay(Math.max(0, this.#restUntil - performance.now()))
    const began = performance.now()
    this.#publish(await buildSnapshot(this.#database))
    const now = performance.now()
    this.#restUntil = now + Math.min(LONGEST_REST_MS, (now - began) * REST_FACTOR)
  }

  async #newest(): Promise<number> {
    const [row] = await this.#database
      .em()
      .execute<{ number: number }[]>('select coalesce(max(number), 0) as number from config_revision')
    return row!.number
  }

  /** Also a lower revision, of a database that was set back: what is in it now is what operators see and change. */
  #publish(snapshot: Snapshot): void {
    if (snapshot.revision < this.revision) {
      const revisions = { served: this.revision, found: snapshot.revision }
      this.#log.error(revisions, 'the database was set back to an older configuration, which is served from now on')
    }
    this.#current = { revision: snapshot.revision, document: snapshot }
    this.#bus.publish(this.#current)
    for (const listener of this.#listeners) listener()
    this.#log.debug({ revision: snapshot.revision, proxies: this.#bus.size }, 'published a snapshot')
  }

  #schedulePoll(): void {
    if (this.#closed) return
    this.#poll = setTimeout(() => void this.refresh().then(() => this.#schedulePoll()), POLL_MS)
  }
}
