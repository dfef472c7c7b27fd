/** Keeps the newest snapshot in memory and hands it to whoever listens. Goes on serving it while the database is away. */
import { setTimeout as delay } from 'node:timers/promises'

import type { Snapshot, SnapshotEvent } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { Watch } from '../db/watch.ts'
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
  readonly #watch: Watch
  #current: (SnapshotEvent & { readonly document: Snapshot }) | null = null
  /** Before this no other snapshot is built, as `performance.now()`. */
  #restUntil = 0
  readonly #listeners: (() => void)[] = []

  constructor(database: Database, log: Logger) {
    this.#database = database
    this.#log = log
    // It rests before it builds, not before it looks: who only wants to know that nothing has changed need not wait.
    const options = { channel: CONFIG_CHANNEL, what: 'the configuration', pollMs: POLL_MS, restMs: 0 }
    this.#watch = new Watch(database, () => this.#look(), options, log)
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
    // Not left to the watch, which would try again and again where the start has to fail.
    this.#publish(await buildSnapshot(this.#database))
    await this.#watch.start()
  }

  close(): Promise<void> {
    return this.#watch.close()
  }

  /** The current snapshot at once, then each newer one. */
  subscribe(): Mailbox<SnapshotEvent> {
    const mailbox = this.#bus.subscribe(NEWEST_ONLY)
    if (this.#current) mailbox.post(this.#current)
    return mailbox
  }

  /** Resolves once what was committed before is served, or can't be read now. */
  refresh(): Promise<void> {
    return this.#watch.look()
  }

  async #look(): Promise<void> {
    if ((await this.#newest()) === this.revision) return
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
}
