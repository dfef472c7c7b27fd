import { newId } from '@millrace/shared'

import { Alias } from '../aliases/alias.entity.ts'
import { writeAuditEvent } from '../audit/write.ts'
import type { Database } from '../db/database.ts'
import { pageSize, readInput, searchText } from '../graphql/input.ts'
import { requireRow } from '../graphql/rows.ts'
import type { Actor } from '../revisions/change.ts'
import type { BindingStore, StoredBinding } from './binding.store.ts'
import { INSTRUCTION_CHANNEL, INSTRUCTION_SECONDS } from './instructions.ts'

/** Sticky bindings, for operators. */
export class StickyService {
  readonly #database: Database
  readonly #bindings: BindingStore

  constructor(database: Database, bindings: BindingStore) {
    this.#database = database
    this.#bindings = bindings
  }

  /** An alias's live bindings, those bound last first. @param key null: any */
  async list(aliasId: string, key: string | null, requested: number | null): Promise<StoredBinding[]> {
    const first = readInput(pageSize, requested ?? 100, 'first')
    const wanted = readInput(searchText.nullable(), key, 'key')
    const alias = await requireRow(this.#database.em(), Alias, aliasId, 'alias', 'alias')
    return this.#bindings.list(alias.id, wanted, first)
  }

  /**
   * Forgets an alias's bindings, or the one of a key, here and in every proxy.
   * @returns how many there were
   */
  clear(actor: Actor, aliasId: string, given: string | null): Promise<number> {
    const key = readInput(searchText.nullable(), given, 'key')
    return this.#database.em().transactional(async (em) => {
      const alias = await requireRow(em, Alias, aliasId, 'alias', 'alias')
      // No binding is told of meanwhile, and clears follow each other in the order of their times.
      await em.execute('lock table sticky_binding in share row exclusive mode')
      await em.execute('insert into sticky_clear (id, alias_id, key, at) values (?, ?, ?, clock_timestamp())', [
        newId(),
        alias.id,
        key,
      ])
      await em.execute('delete from sticky_clear where at < now() - make_interval(secs => ?)', [INSTRUCTION_SECONDS])
      const [gone] = await em.execute<{ live: number }[]>(
        `with gone as (
           delete from sticky_binding where alias_id = ? and (?::text is null or key = ?) returning expires_at
         )
         select count(*) filter (where expires_at > now())::integer as live from gone`,
        [alias.id, key, key],
      )
      await writeAuditEvent(em, actor, {
        action: 'clearStickyBindings',
        subject: `alias ${alias.name}`,
        projectId: alias.project,
        details: { key, cleared: gone!.live },
      })
      await em.execute("select pg_notify(?, '')", [INSTRUCTION_CHANNEL])
      return gone!.live
    })
  }
}
