import type { Snapshot } from '@millrace/shared'

import type { Database } from '../db/database.ts'
import { pageOf, type Page } from '../graphql/connections.ts'
import { decodeCursor, encodeCursor } from '../graphql/cursor.ts'
import { pageSize, readInput } from '../graphql/input.ts'
import { snapshotAt, type Untold } from './configuration-at.ts'
import { ConfigRevision } from './revision.entity.ts'
import { toRevision, type ConfigRevisionType } from './revision.type.ts'

/** The history of configuration. */
export class RevisionService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** @param number null: the newest */
  find(number: number | null): Promise<ConfigRevision | null> {
    const where = number === null ? {} : { number }
    return this.#database
      .em()
      .findOne(ConfigRevision, { number: { $gt: 0 }, ...where }, { orderBy: { number: 'desc' } })
  }

  /** What it said to proxies: see {@link snapshotAt}. */
  snapshotAt(number: number): Promise<Snapshot | Untold> {
    return snapshotAt(this.#database, number)
  }

  /** Newest first. */
  async page(requested: number | null, after: string | null): Promise<Page<ConfigRevisionType>> {
    const first = readInput(pageSize, requested ?? 20, 'first')
    const where = after === null ? {} : { number: { $lt: Number(decodeCursor(after, isNumber)[0]) } }
    const rows = await this.#database
      .em()
      .find(ConfigRevision, where, { orderBy: { number: 'desc' }, limit: first + 1 })
    return pageOf(rows, first, after, ({ number }) => encodeCursor(String(number)), toRevision)
  }
}

function isNumber(part: string): boolean {
  return /^\d{1,9}$/.test(part)
}
