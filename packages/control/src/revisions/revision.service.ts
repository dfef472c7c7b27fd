import type { Scope } from '../access/scope.ts'
import type { Database } from '../db/database.ts'
import { pageOf, type Page } from '../graphql/connections.ts'
import { decodeCursor, encodeCursor } from '../graphql/cursor.ts'
import { pageSize, readInput } from '../graphql/input.ts'
import type { SqlCondition } from '../requests/conditions.ts'
import type { Revised } from '../snapshot/build.ts'
import { snapshotAt, type Untold } from './configuration-at.ts'
import { ConfigRevision } from './revision.entity.ts'
import { toRevision, type ConfigRevisionType } from './revision.type.ts'
import { seenOf, seenRevisions } from './seen.ts'

/** The history of configuration. */
export class RevisionService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @param number null: the newest that the key sees anything of */
  async find(scope: Scope, number: number | null): Promise<ConfigRevision | null> {
    const numbered = number === null ? [] : [{ sql: 'number = ?', values: [number] }]
    const [revision] = await this.#select(scope, numbered, 1)
    return revision ?? null
  }

  /** What it said to proxies: see {@link snapshotAt}. */
  snapshotAt(number: number): Promise<Revised | Untold> {
    return snapshotAt(this.#database, number)
  }

  /** Newest first. */
  async page(scope: Scope, requested: number | null, after: string | null): Promise<Page<ConfigRevisionType>> {
    const first = readInput(pageSize, requested ?? 20, 'first')
    const begun =
      after === null
        ? []
        : [{ sql: 'number < ?', values: [Number(decodeCursor('configRevisions', after, isNumber)[0])] }]
    const rows = await this.#select(scope, begun, first + 1)
    return pageOf(rows, first, after, ({ number }) => encodeCursor('configRevisions', String(number)), toRevision)
  }

  async #select(scope: Scope, wanted: readonly SqlCondition[], limit: number): Promise<ConfigRevision[]> {
    const conditions = [...wanted, ...seenRevisions(scope)]
    const where = conditions.map(({ sql }) => sql).join(' and ') || 'true'
    const em = this.#database.em()
    const rows = await em.execute<Record<string, unknown>[]>(
      `select * from config_revision where ${where} order by number desc limit ?`,
      [...conditions.flatMap(({ values }) => values), limit],
    )
    return rows.map((row) => seenOf(em.map(ConfigRevision, row), scope)!)
  }
}

function isNumber(part: string): boolean {
  return /^\d{1,9}$/.test(part)
}
