/** Tells subscribers of each provider whose health has changed. */
import type { SnapshotProvider } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { Watch } from '../db/watch.ts'
import { Bus, type BusCounts } from '../feed/bus.ts'
import type { Mailbox } from '../feed/mailbox.ts'
import { weightOf } from '../feed/weight.ts'
import type { SnapshotPublisher } from '../snapshot/publisher.ts'
import { aggregate, differs } from './aggregate.ts'
import { HEALTH_CHANNEL } from './channel.ts'
import type { Fleet } from './fleet.ts'
import type { ProviderHealthType } from './health.type.ts'

/** Also how soon it is seen that a proxy has gone. */
const POLL_MS = 1_000
/** So often, at most, a subscriber is told of one provider. */
const REST_MS = 250
/** Events that may wait for one subscriber. */
const CAPACITY = 1_000

export interface HealthChange {
  readonly providerId: string
  readonly health: ProviderHealthType
}

export class HealthWatcher {
  readonly #fleet: Fleet
  readonly #snapshots: SnapshotPublisher
  readonly #bus = new Bus<HealthChange>(weightOf)
  readonly #watch: Watch
  /** What subscribers know, by the provider's id. */
  #told = new Map<string, ProviderHealthType>()

  constructor(database: Database, fleet: Fleet, snapshots: SnapshotPublisher, log: Logger) {
    this.#fleet = fleet
    this.#snapshots = snapshots
    const options = { channel: HEALTH_CHANNEL, what: "the proxies' health", pollMs: POLL_MS, restMs: REST_MS }
    this.#watch = new Watch(database, () => this.#look(), options, log)
  }

  async start(): Promise<void> {
    await this.#watch.start()
    // An operator may have forced a breaker.
    this.#snapshots.onPublished(() => void this.#watch.look())
  }

  close(): Promise<void> {
    return this.#watch.close()
  }

  get counts(): BusCounts {
    return this.#bus.counts
  }

  /** Each change from now on. */
  async subscribe(): Promise<Mailbox<HealthChange>> {
    const mailbox = this.#bus.subscribe(CAPACITY)
    await this.#watch.look()
    return mailbox
  }

  async #look(): Promise<void> {
    const { current } = this.#snapshots
    if (this.#bus.size === 0 || current === null) {
      this.#told.clear()
      return
    }
    const before = this.#told
    this.#told = await this.#read(current.providers)
    for (const [providerId, health] of this.#told) {
      const known = before.get(providerId)
      if (known === undefined) continue
      if (differs(known, health)) this.#bus.publish({ providerId, health })
      // So that a drift in steps too small to tell is told in the end.
      else this.#told.set(providerId, known)
    }
  }

  async #read(providers: readonly SnapshotProvider[]): Promise<Map<string, ProviderHealthType>> {
    const fleet = await this.#fleet.current()
    return new Map(
      providers.map(({ id, forcedBreaker }) => [id, aggregate(fleet.providers.get(id) ?? [], forcedBreaker)]),
    )
  }
}
