import { stickyProject } from '@millrace/shared'

import { requireGoodKey } from '../access/good-key.ts'
import { ownersOf, type Scope } from '../access/scope.ts'
import { scoped } from '../access/scoped.ts'
import { Alias } from '../aliases/alias.entity.ts'
import { writeAuditEvent } from '../audit/write.ts'
import type { Database } from '../db/database.ts'
import { storable } from '../db/storable.ts'
import { pageSize, readInput, searchText } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import type { Actor } from '../revisions/change.ts'
import type { BindingStore, StoredBinding } from './binding.store.ts'
import { countCleared, sweepClears, writeClear } from './clears.ts'

const keyText = searchText.nullable()

/** Sticky bindings, for operators. */
export class StickyService {
  readonly #database: Database
  readonly #bindings: BindingStore

  constructor(database: Database, bindings: BindingStore) {
    this.#database = database
    this.#bindings = bindings
  }

  /**
   * An alias's live bindings, in the order of their keys. Of an alias of all projects, a key bound to some sees theirs.
   * @param key null: any
   * @param after the key after which they begin; null: with the first
   */
  async list(
    scope: Scope,
    aliasId: string,
    key: string | null,
    requested: number | null,
    after: string | null,
  ): Promise<StoredBinding[]> {
    const first = readInput(pageSize, requested ?? 100, 'first')
    const wanted = readInput(keyText, key, 'key')
    const last = readInput(keyText, after, 'after')
    const alias = await requireRow(scoped(this.#database.em(), scope), Alias, aliasId, 'alias', 'alias')
    return this.#bindings.list(scope, alias.id, wanted, last, first)
  }

  /**
   * Forgets an alias's bindings, or the one of a key, here and in every proxy: at once, however long it then takes to count
   * them.
   * @returns how many there were
   */
  async clear(actor: Actor, aliasId: string, given: string | null): Promise<number> {
    const key = readInput(keyText, given, 'key')
    const clear = await this.#database.em().transactional(async (em) => {
      await requireGoodKey(em, actor)
      const alias = await requireRow(scoped(em, actor.scope), Alias, aliasId, 'alias', 'alias')
      const project = alias.project ?? (key === null ? null : stickyProject(alias.id, key))
      actor.scope.requireOwn(ownersOf(project))
      const written = await writeClear(em, alias.id, key)
      await writeAuditEvent(em, actor, {
        action: 'clearStickyBindings',
        subject: `alias ${alias.name}`,
        projectId: project,
        details: storable({ key }),
      })
      return written
    })
    return countCleared(this.#database, clear)
  }

  /** Deletes what is not needed any longer. @param signal ends it before its time */
  async tidy(signal: AbortSignal): Promise<void> {
    await this.#bindings.forgetExpired(signal)
    await sweepClears(this.#database, signal)
  }
}
