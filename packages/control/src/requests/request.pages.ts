/** Records out of the database. */
import { isId, type RequestRecord } from '@millrace/shared'

import type { Database, Em } from '../db/database.ts'
import { pageOf, type Page } from '../graphql/connections.ts'
import { decodeCursor, encodeCursor } from '../graphql/cursor.ts'
import { pageSize, readInput } from '../graphql/input.ts'
import { findPlaces } from '../listing/find.ts'
import type { Place, Question } from '../listing/question.ts'
import { allOf, fill, sql } from '../listing/sql.ts'
import type { SqlCondition } from './conditions.ts'
import { SELECTED, toRecord, type RecordRow } from './request.row.ts'

/**
 * Those of table `request_record` that meet all conditions, newest first.
 * @param when when they started: of other partitions, each with all of its indexes, none is locked
 */
export async function selectRecords(
  database: Database,
  when: SqlCondition,
  conditions: readonly SqlCondition[],
  limit: number,
): Promise<RequestRecord[]> {
  const records = sql`select * from request_record where ${allOf([when, ...conditions])} order by started_at desc, id desc limit ${limit}`
  return readRecords(database.em(), records, when)
}

/** What else must hold of records: what a question leaves open, since facets don't tell it quite. */
export interface Exact {
  readonly conditions: readonly SqlCondition[]
  readonly columns: readonly string[]
}

export const ALL: Exact = { conditions: [], columns: [] }

/** The newest that are asked for. */
export async function findRecords(
  database: Database,
  question: Question,
  { conditions, columns }: Exact,
  after: Place | null,
  count: number,
): Promise<RequestRecord[]> {
  const em = database.em()
  const places = await findPlaces(database, question, after, count)
  const found = await recordsAt(em, places, conditions)
  if (found.length === places.length) return found
  const strict = {
    ...question,
    rows: [...question.rows, ...conditions],
    columns: [...new Set([...question.columns, ...columns])],
  }
  return recordsAt(em, await findPlaces(database, strict, after, count), conditions)
}

/** @param places the newest first */
async function recordsAt(
  em: Em,
  places: readonly Place[],
  conditions: readonly SqlCondition[],
): Promise<RequestRecord[]> {
  if (places.length === 0) return []
  const list = (values: readonly string[]): SqlCondition => ({ sql: '?', values: [`{${values.join()}}`] })
  const ids = list(places.map(({ id }) => id))
  const times = list(places.map(({ startedAt }) => startedAt))
  const [newest, oldest] = [places[0]!.startedAt, places.at(-1)!.startedAt]
  const between = { sql: 'started_at between ?::timestamptz and ?::timestamptz', values: [oldest, newest] }
  // One by one, each in its own partition: joined they might all be read.
  return readRecords(
    em,
    sql`
      select found.* from unnest(${ids}::uuid[], ${times}::timestamptz[]) as place (place_id, place_at)
      cross join lateral (
        select * from request_record where id = place_id and started_at = place_at and ${between} limit 1
      ) as found
      where ${allOf(conditions)}`,
    between,
  )
}

/** @param between when they started: in no other partitions are decisions looked for */
async function readRecords(em: Em, records: SqlCondition, between: SqlCondition): Promise<RequestRecord[]> {
  const rows = await em.execute<RecordRow[]>(
    ...fill(sql`
      select ${SELECTED} from (${records}) as r
      left join lateral (
        select decision from route_decision where id = r.id and started_at = r.started_at and ${between} limit 1
      ) as d on true
      order by r.started_at desc, r.id desc`),
  )
  return rows.map(toRecord)
}

/**
 * A page of them, not counted: that would mean reading all of them.
 * @param list what it is called, for its cursors
 * @throws GraphQLError BAD_USER_INPUT for a size or a cursor that can't be, and for what takes too long
 */
export async function recordPage<T>(
  list: string,
  find: (after: Place | null, count: number) => Promise<RequestRecord[]>,
  requested: number | null,
  after: string | null,
  nodeOf: (record: RequestRecord) => T,
): Promise<Page<T>> {
  const first = readInput(pageSize, requested ?? 50, 'first')
  const [startedAt, id] = after === null ? [] : decodeCursor(list, after, isInstant, isId)
  const place = startedAt === undefined || id === undefined ? null : { startedAt, id }
  const records = await find(place, first + 1)
  return pageOf(records, first, after, (record) => encodeCursor(list, record.startedAt, record.id), nodeOf)
}

/** As {@link encodeCursor} was given it. JavaScript alone knows a 30th of February, and PostgreSQL no year 0. */
function isInstant(part: string): boolean {
  const ms = Date.parse(part)
  return /^(?!0000)\d{4}-/.test(part) && !Number.isNaN(ms) && new Date(ms).toISOString() === part
}
