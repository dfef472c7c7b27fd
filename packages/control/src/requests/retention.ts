/** For how long records, decisions and debug exchanges are kept, each in a partition a day. */
import type { Settings } from '@millrace/shared'

import type { Database } from '../db/database.ts'
import { Partitions, type PartitionedTable } from '../db/partitions.ts'
import { noteKept } from '../usage/kept.ts'

const DAY_MS = 86_400_000

type Days = Pick<Settings, 'MILLRACE_RECORD_DAYS' | 'MILLRACE_DECISION_DAYS' | 'MILLRACE_DEBUG_DAYS'>

export class Retention {
  readonly #database: Database
  readonly #partitions: Partitions
  readonly #recordDays: number
  readonly #listed: readonly (readonly [table: string, facets: string, keepDays: number])[]

  constructor(database: Database, settings: Days) {
    const recordDays = settings.MILLRACE_RECORD_DAYS
    // A decision is shown with its record.
    const decisionDays = Math.min(recordDays, settings.MILLRACE_DECISION_DAYS)
    const table = (name: string, column: string, keepDays: number): PartitionedTable => ({
      name,
      column,
      keepDays,
      storedColumn: 'stored_at',
    })
    this.#database = database
    this.#recordDays = recordDays
    this.#partitions = new Partitions(database, [
      table('request_record', 'started_at', recordDays),
      table('route_decision', 'started_at', decisionDays),
      table('debug_exchange', 'at', settings.MILLRACE_DEBUG_DAYS),
    ])
    this.#listed = [
      ['request_record', 'record_facet', recordDays],
      ['route_decision', 'decision_facet', decisionDays],
      ['request_record', 'record_token', recordDays],
    ]
  }

  /** Makes partitions ahead, and drops what is over. See {@link Partitions.keepUp}. */
  async keepUp(signal: AbortSignal, now = new Date()): Promise<void> {
    // First: nobody, with whichever settings, may count on records that are about to go.
    await noteKept(this.#database.em(), this.#recordDays, now.getTime())
    await this.#partitions.keepUp(signal, now)
    for (const [table, facets, keepDays] of this.#listed) {
      signal.throwIfAborted()
      const oldest = new Date(now.getTime() - (keepDays + 1) * DAY_MS)
      // Not those of rows that came late.
      await this.#database.em().execute(
        `delete from ${facets} where month < date_trunc('month', ?::timestamptz at time zone 'UTC')
           and month < (select coalesce(date_trunc('month', min(started_at) at time zone 'UTC'), 'infinity') from ${table}_default)`,
        [oldest.toISOString()],
      )
    }
  }
}
