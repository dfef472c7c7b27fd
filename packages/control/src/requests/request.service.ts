import { isId, type RequestRecord } from '@millrace/shared'

import type { Database } from '../db/database.ts'
import type { Page } from '../graphql/connections.ts'
import { readFilter, sqlConditions, type RequestFilter } from './request.filter.ts'
import { recordPage, selectRecords } from './request.pages.ts'
import { toRequest, type RequestRecordType } from './request.type.ts'

/** Finished requests. */
export class RequestService {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Newest first. */
  async page(
    filter: RequestFilter | null,
    requested: number | null,
    after: string | null,
  ): Promise<Page<RequestRecordType>> {
    return recordPage(this.#database, sqlConditions(readFilter(filter)), requested, after, toRequest)
  }

  async findById(id: string): Promise<RequestRecord | null> {
    if (!isId(id)) return null
    const [record] = await selectRecords(this.#database, [{ sql: 'id = ?', values: [id] }], 1)
    return record ?? null
  }

  /** The newest of that request id: a client may use one twice. */
  async findByRequestId(requestId: string): Promise<RequestRecord | null> {
    const [record] = await selectRecords(this.#database, sqlConditions(readFilter({ requestId })), 1)
    return record ?? null
  }
}
