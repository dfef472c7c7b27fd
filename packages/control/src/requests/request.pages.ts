/** Records out of the database, newest first. */
import { isId, type RequestRecord } from '@millrace/shared'

import type { Database } from '../db/database.ts'
import { pageOf, type Page } from '../graphql/connections.ts'
import { decodeCursor, encodeCursor } from '../graphql/cursor.ts'
import { pageSize, readInput } from '../graphql/input.ts'
import type { SqlCondition } from './conditions.ts'
import { toRecord } from './request.store.ts'

/** Those of table `request_record` that meet all conditions. */
export async function selectRecords(
  database: Database,
  conditions: readonly SqlCondition[],
  limit: number,
): Promise<RequestRecord[]> {
  const em = database.em()
  const where = conditions.map(({ sql }) => sql).join(' and ') || 'true'
  const rows = await em.execute<Record<string, unknown>[]>(
    `select * from request_record where ${where} order by started_at desc, id desc limit ?`,
    [...conditions.flatMap(({ values }) => values), limit],
  )
  return rows.map((row) => toRecord(em, row))
}

/**
 * A page of them, not counted: that would mean reading all of them.
 * @throws GraphQLError BAD_USER_INPUT for a size or a cursor that can't be
 */
export async function recordPage<T>(
  database: Database,
  conditions: readonly SqlCondition[],
  requested: number | null,
  after: string | null,
  nodeOf: (record: RequestRecord) => T,
): Promise<Page<T>> {
  const first = readInput(pageSize, requested ?? 50, 'first')
  const begun = after === null ? [] : [beforeCursor(after)]
  const records = await selectRecords(database, [...conditions, ...begun], first + 1)
  return pageOf(records, first, after, ({ startedAt, id }) => encodeCursor(startedAt, id), nodeOf)
}

function beforeCursor(after: string): SqlCondition {
  return { sql: '(started_at, id) < (?::timestamptz, ?::uuid)', values: decodeCursor(after, isInstant, isId) }
}

function isInstant(part: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(part) && !Number.isNaN(Date.parse(part))
}
