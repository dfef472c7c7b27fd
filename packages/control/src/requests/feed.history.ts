/** Stored records in the order in which they were stored, for feeds that begin where they ended. */
import type { Database } from '../db/database.ts'
import { eventId, readEventId, type FeedEvent } from '../feed/event.ts'
import type { History, StoredKey, StoredPage } from '../feed/resumption.ts'
import type { SqlCondition } from './conditions.ts'
import { selectRecords } from './request.pages.ts'

/** Rows read at once, whether they are wanted or not. */
const PAGE = 1_000

interface Row {
  readonly id: string
  readonly startedAt: string
  readonly storedAt: string
  readonly wanted: boolean
}

export class FeedHistory implements History {
  readonly #database: Database
  readonly #conditions: readonly SqlCondition[]

  /** @param conditions over table `request_record` */
  constructor(database: Database, conditions: readonly SqlCondition[]) {
    this.#database = database
    this.#conditions = conditions
  }

  async page(after: string): Promise<StoredPage> {
    const { time, request } = readEventId(after)!
    const wanted = this.#conditions.map(({ sql }) => sql).join(' and ') || 'true'
    const rows = await this.#database.em().execute<Row[]>(
      `select id, started_at as "startedAt", stored_at as "storedAt", coalesce(${wanted}, false) as wanted
       from (
         select * from request_record where stored_at >= ? and (stored_at, id) > (?::timestamptz, ?::uuid)
         order by stored_at, id limit ?
       ) as request_record
       order by stored_at, id`,
      [...this.#conditions.flatMap(({ values }) => values), time, time, request, PAGE],
    )
    const keys = rows.filter((row) => row.wanted).map(toKey)
    const last = rows.at(-1)
    return { keys, last: last === undefined ? null : toKey(last).id, isFull: rows.length === PAGE }
  }

  async load(keys: readonly StoredKey[]): Promise<ReadonlyMap<string, FeedEvent>> {
    const byRecord = new Map(keys.map(({ id }) => [readEventId(id)!.request, id]))
    const records = await selectRecords(
      this.#database,
      { sql: 'started_at = any(?::timestamptz[])', values: [literal(keys.map(({ startedAt }) => startedAt))] },
      [{ sql: 'id = any(?::uuid[])', values: [literal([...byRecord.keys()])] }, ...this.#conditions],
      keys.length,
    )
    const events = records.map((record) => {
      const id = byRecord.get(record.id)!
      return [id, { kind: 'FINISHED', id, at: readEventId(id)!.time, record }] as const
    })
    return new Map(events)
  }
}

function toKey({ id, startedAt, storedAt }: Row): StoredKey {
  return {
    id: eventId({ time: new Date(storedAt), kind: 'FINISHED', request: id }),
    startedAt: new Date(startedAt).toISOString(),
  }
}

/** An array as PostgreSQL writes it. */
function literal(values: readonly string[]): string {
  return `{${values.map((value) => `"${value}"`).join(',')}}`
}
