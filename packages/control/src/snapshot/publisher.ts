/** Holds the newest configuration in memory and tells it to proxies. Goes on telling it while the database is away. */
import { setTimeout as delay } from 'node:timers/promises'

import {
  newId,
  wholeTransfer,
  type SnapshotPosition,
  type SnapshotToken,
  type TransferContents,
} from '@millrace/shared'
import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { Watch } from '../db/watch.ts'
import { CONFIG_CHANNEL } from '../revisions/change.ts'
import { atOneMoment } from './build.ts'
import {
  newestStamp,
  readNewest,
  sameStamp,
  type HeldConfiguration,
  type StepReading,
  type WholeReading,
} from './held.ts'
import { History } from './history.ts'
import { SnapshotSubscriber } from './subscriber.ts'
import { UsedReader, type Spending } from './used.ts'

/** In case a notification is missed. */
const POLL_MS = 1_000
/**
 * Many changes in a row are published together: after a reading comes a rest of so many times what it took, and at most so
 * many milliseconds. A change is still with every proxy within a second.
 */
const REST_FACTOR = 4
const LONGEST_REST_MS = 250
/** Ids of tokens that have changed: some 5 MB. */
const REMEMBERED = 50_000

type Held = HeldConfiguration & { readonly tokens: Map<string, SnapshotToken> }

export class SnapshotPublisher {
  readonly #database: Database
  readonly #used: UsedReader
  readonly #log: Logger
  readonly #watch: Watch
  readonly #history = new History(REMEMBERED)
  readonly #subscribers = new Set<SnapshotSubscriber>()
  #held: Held | null = null
  /** Of this process's own making, and another one when the database was set back. */
  #mark = newId()
  /** Before this nothing newer is read, as `performance.now()`. */
  #restUntil = 0
  readonly #listeners: (() => void)[] = []

  constructor(database: Database, spending: Spending, log: Logger) {
    this.#database = database
    this.#used = new UsedReader(spending, log)
    this.#log = log
    // It rests before it reads, not before it looks: who only wants to know that nothing has changed need not wait.
    const options = { channel: CONFIG_CHANNEL, what: 'the configuration', pollMs: POLL_MS, restMs: 0 }
    this.#watch = new Watch(database, () => this.#look(), options, log)
  }

  /** The revision that is served; -1 before there is one. */
  get revision(): number {
    return this.#held?.revision ?? -1
  }

  /** What is served; null before there is anything. */
  get current(): HeldConfiguration | null {
    return this.#held
  }

  /** Where a proxy stands that has been told everything. */
  get position(): SnapshotPosition {
    return { revision: this.revision, mark: this.#mark }
  }

  /** Calls back at each revision from now on. */
  onPublished(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Resolves once there is a configuration. */
  async start(): Promise<void> {
    // Not left to the watch, which would try again and again where the start has to fail.
    await this.#read()
    await this.#watch.start()
  }

  close(): Promise<void> {
    return this.#watch.close()
  }

  /**
   * The configuration at once, then each newer one.
   * @param after where the proxy stands; null: nowhere
   */
  subscribe(after: SnapshotPosition | null): SnapshotSubscriber {
    const subscriber: SnapshotSubscriber = new SnapshotSubscriber(this, after, this.#used, () =>
      this.#subscribers.delete(subscriber),
    )
    this.#subscribers.add(subscriber)
    return subscriber
  }

  /** What a proxy lacks that stands there, as far as that is known; else everything. */
  transferFrom(position: SnapshotPosition | null): TransferContents {
    const { revision, providers, aliases, projects, tokens } = this.#held!
    const mark = this.#mark
    const since = position?.mark === mark && position.revision <= revision ? position.revision : null
    const changes = since === null ? null : this.#history.since(since)
    if (since === null || changes === null)
      return wholeTransfer({ revision, providers, aliases, projects, tokens: [...tokens.values()] }, mark)
    const ids = [...changes.tokens]
    return {
      revision,
      mark,
      since,
      replaces: [
        ...(changes.routing ? (['routing'] as const) : []),
        ...(changes.projects ? (['projects'] as const) : []),
      ],
      providers: changes.routing ? providers : [],
      aliases: changes.routing ? aliases : [],
      projects: changes.projects ? projects : [],
      tokens: ids.flatMap((id) => tokens.get(id) ?? []),
      removedTokens: ids.filter((id) => !tokens.has(id)),
    }
  }

  /** Resolves once what was committed before is served, or can't be read now. */
  refresh(): Promise<void> {
    return this.#watch.look()
  }

  async #look(): Promise<void> {
    if (this.#held && sameStamp(await newestStamp(this.#database.em()), this.#held.stamp)) return
    await delay(Math.max(0, this.#restUntil - performance.now()))
    const began = performance.now()
    await this.#read()
    const now = performance.now()
    this.#restUntil = now + Math.min(LONGEST_REST_MS, (now - began) * REST_FACTOR)
  }

  async #read(): Promise<void> {
    const held = this.#held
    const reading = await atOneMoment(this.#database, (em) => readNewest(em, held))
    if (reading.kind === 'whole') this.#replace(reading)
    else this.#step(held!, reading)
    for (const subscriber of this.#subscribers) subscriber.wake()
    for (const listener of this.#listeners) listener()
    this.#log.debug({ revision: this.revision, proxies: this.#subscribers.size }, 'published a configuration')
  }

  /** Also by a lower revision, of a database that was set back: what is in it now is what operators see and change. */
  #replace({ stamp, otherHistory, routing, projects, tokens }: WholeReading): void {
    if (otherHistory) {
      const revisions = { served: this.revision, found: stamp.number }
      this.#log.error(revisions, 'the database was set back to an older configuration, which is served from now on')
      this.#mark = newId()
    }
    this.#held = { revision: stamp.number, stamp, ...routing, projects, tokens }
    this.#history.begin(stamp.number)
  }

  #step(held: Held, { stamp, routing, projects, tokens, removedTokens }: StepReading): void {
    for (const token of tokens) held.tokens.set(token.id, token)
    for (const id of removedTokens) held.tokens.delete(id)
    this.#held = { ...held, ...routing, projects: projects ?? held.projects, revision: stamp.number, stamp }
    this.#history.add(stamp.number, {
      routing: routing !== null,
      projects: projects !== null,
      tokens: [...tokens.map(({ id }) => id), ...removedTokens],
    })
  }
}
