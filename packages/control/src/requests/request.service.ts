import { isId, type RequestRecord } from '@millrace/shared'

import type { Scope } from '../access/scope.ts'
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
    scope: Scope,
    filter: RequestFilter | null,
    requested: number | null,
    after: string | null,
  ): Promise<Page<RequestRecordType>> {
    const conditions = [...sqlConditions(readFilter(filter)), ...scope.ownRows('project_id')]
    return recordPage(this.#database, conditions, requested, after, toRequest)
  }

  async findById(scope: Scope, id: string): Promise<RequestRecord | null> {
    if (!isId(id)) return null
    const [record] = await selectRecords(
      this.#database,
      [{ sql: 'id = ?', values: [id] }, ...scope.ownRows('project_id')],
      1,
    )
    return record ?? null
  }

  /** The newest of that request id: a client may use one twice. */
  async findByRequestId(scope: Scope, requestId: string): Promise<RequestRecord | null> {
    const conditions = [...sqlConditions(readFilter({ requestId })), ...scope.ownRows('project_id')]
    const [record] = await selectRecords(this.#database, conditions, 1)
    return record ?? null
  }
}
