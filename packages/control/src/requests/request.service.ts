import { isId, type RequestRecord } from '@millrace/shared'

import type { Database } from '../db/database.ts'
import { pageOf, type Page } from '../graphql/connections.ts'
import { decodeCursor, encodeCursor } from '../graphql/cursor.ts'
import { pageSize, readInput } from '../graphql/input.ts'
import { readFilter, sqlConditions, type RequestFilter, type SqlCondition } from './request.filter.ts'
import { toRecord } from './request.store.ts'
import { toRequest, type RequestRecordType } from './request.type.ts'

/** Finished requests. */
export class RequestService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Newest first. Not counted: that would mean reading all of them. */
  async page(
    filter: RequestFilter | null,
    requested: number | null,
    after: string | null,
  ): Promise<Page<RequestRecordType>> {
    const first = readInput(pageSize, requested ?? 50, 'first')
    const conditions = sqlConditions(readFilter(filter))
    if (after !== null) {
      conditions.push({
        sql: '(started_at, id) < (?::timestamptz, ?::uuid)',
        values: decodeCursor(after, isInstant, isId),
      })
    }
    const records = await this.#select(conditions, first + 1)
    return pageOf(records, first, after, ({ startedAt, id }) => encodeCursor(startedAt, id), toRequest)
  }

  async findById(id: string): Promise<RequestRecord | null> {
    if (!isId(id)) return null
    const [record] = await this.#select([{ sql: 'id = ?', values: [id] }], 1)
    return record ?? null
  }

  /** The newest of that request id: a client may use one twice. */
  async findByRequestId(requestId: string): Promise<RequestRecord | null> {
    const [record] = await this.#select(sqlConditions(readFilter({ requestId })), 1)
    return record ?? null
  }

  async #select(conditions: readonly SqlCondition[], limit: number): Promise<RequestRecord[]> {
    const em = this.#database.em()
    const where = conditions.map(({ sql }) => sql).join(' and ') || 'true'
    const rows = await em.execute<Record<string, unknown>[]>(
      `select * from request_record where ${where} order by started_at desc, id desc limit ?`,
      [...conditions.flatMap(({ values }) => values), limit],
    )
    return rows.map((row) => toRecord(em, row))
  }
}

function isInstant(part: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(part) && !Number.isNaN(Date.parse(part))
}
