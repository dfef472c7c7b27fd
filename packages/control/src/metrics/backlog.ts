/** What waits in the database to be worked off in the background. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { Database } from '../db/database.ts'
import { joined } from '../db/joined.ts'

const TIMEOUT_MS = 2_000
/** More are not counted: that would take time from those who work them off. */
const MOST_COUNTED = 50_000

const COUNT = 'select count(*)::integer as rows from (select from usage_delta limit ?) as counted'

export class Backlog {
  readonly #count: () => Promise<number>

  constructor(database: Database) {
    this.#count = joined(async () => {
      const [row] = await database.em().execute<{ rows: number }[]>(COUNT, [MOST_COUNTED])
      return row!.rows
    })
  }

  /** Rows of usage that are not summed up yet; NaN: the database does not say. */
  async usageRows(): Promise<number> {
    return Promise.race([this.#count().catch(() => NaN), sleep(TIMEOUT_MS, NaN, { ref: false })])
  }
}
