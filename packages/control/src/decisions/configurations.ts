/** Configurations to explain by, each made ready once. */
import { notFound, notThere } from '../graphql/errors.ts'
import type { RevisionService } from '../revisions/revision.service.ts'
import type { HeldConfiguration } from '../snapshot/held.ts'
import type { SnapshotPublisher } from '../snapshot/publisher.ts'
import { explained, type Configuration } from './configuration.ts'

/** Of older revisions. */
const MOST_KEPT = 4

export class Configurations {
  readonly #snapshots: SnapshotPublisher
  readonly #revisions: RevisionService
  #live: Configuration | null = null
  /** The last used comes last. */
  readonly #older = new Map<number, Configuration>()

  constructor(snapshots: SnapshotPublisher, revisions: RevisionService) {
    this.#snapshots = snapshots
    this.#revisions = revisions
    snapshots.onPublished(() => {
      this.#live = null
      // Tokens and keys are no part of revisions: an older one is put together with those that there are now.
      this.#older.clear()
    })
  }

  /**
   * @param revision null: the newest
   * @throws GraphQLError NOT_FOUND
   */
  async at(revision: number | null): Promise<Configuration> {
    await this.#snapshots.refresh()
    if (revision === null || revision === this.#snapshots.revision) return this.#newest()
    const kept = this.#older.get(revision) ?? (await this.#read(revision))
    this.#older.delete(revision)
    this.#older.set(revision, kept)
    if (this.#older.size > MOST_KEPT) this.#older.delete(this.#older.keys().next().value!)
    return kept
  }

  #newest(): Configuration {
    const held = this.#held()
    this.#live ??= explained(held, held.tokens)
    return this.#live
  }

  async #read(revision: number): Promise<Configuration> {
    const snapshot = await this.#revisions.snapshotAt(revision)
    if (snapshot === 'unknown') throw notFound('revision', 'input.configRevision')
    if (snapshot === 'lost')
      throw notThere(
        `revision ${revision} was made before an upgrade: it can't be told any more`,
        'input.configRevision',
      )
    return explained(snapshot, this.#held().tokens)
  }

  #held(): HeldConfiguration {
    const { current } = this.#snapshots
    if (current === null) throw notFound('configuration')
    return current
  }
}
