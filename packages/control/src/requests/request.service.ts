import { isId, type RequestRecord } from '@millrace/shared'

import type { Scope } from '../access/scope.ts'
import type { Database } from '../db/database.ts'
import { partitionDays } from '../db/partitions.ts'
import type { Page } from '../graphql/connections.ts'
import { within } from '../listing/queries.ts'
import type { Place, Question } from '../listing/question.ts'
import { stretchesOf } from '../listing/spans.ts'
import type { SqlCondition } from './conditions.ts'
import { readFilter, type RequestConditions, type RequestFilter } from './request.filter.ts'
import { ALL, findRecords, recordPage, selectRecords } from './request.pages.ts'
import { requestQuestion } from './request.question.ts'
import { toRequest, type RequestRecordType } from './request.type.ts'

/** A proxy makes an id as the request comes in: so far away from its beginning it is looked for first. */
const AROUND_ID_MS = 60_000

/** Finished requests. */
export class RequestService {
  readonly #database: Database
  #hasSearchIndex: Promise<boolean> | null = null

  constructor(database: Database) {
    this.#database = database
  }

  /** Newest first. */
  async page(
    scope: Scope,
    given: RequestFilter | null,
    requested: number | null,
    after: string | null,
  ): Promise<Page<RequestRecordType>> {
    const filter = readFilter(given)
    const question = await this.#question(filter, scope)
    // By facets a model is told from most others, but not from all.
    const exact =
      filter.model == null ? ALL : { conditions: [{ sql: 'model = ?', values: [filter.model] }], columns: ['model'] }
    const find = (place: Place | null, count: number): Promise<RequestRecord[]> =>
      findRecords(this.#database, question, exact, place, count)
    return recordPage('requests', find, requested, after, toRequest)
  }

  async findById(scope: Scope, id: string): Promise<RequestRecord | null> {
    if (!isId(id)) return null
    const conditions = [{ sql: 'id = ?::uuid', values: [id] }, ...scope.ownRows('project_id')]
    const near = around(id)
    const [record] = near ? await selectRecords(this.#database, near, conditions, 1) : []
    return record ?? this.#findAnywhere(conditions)
  }

  /** Stretch by stretch: the locks of a year's partitions are more than a server has for many who ask at once. */
  async #findAnywhere(conditions: readonly SqlCondition[]): Promise<RequestRecord | null> {
    const days = await partitionDays(this.#database.em(), 'request_record')
    for (const stretch of stretchesOf(days, -Infinity, Infinity)) {
      const when = within({ from: stretch.at(-1)!.from, to: stretch[0]!.to })
      const [record] = await selectRecords(this.#database, when, conditions, 1)
      if (record) return record
    }
    return null
  }

  /** The newest of that request id: a client may use one twice. */
  async findByRequestId(scope: Scope, requestId: string): Promise<RequestRecord | null> {
    const question = await this.#question(readFilter({ requestId }), scope)
    const [record] = await findRecords(this.#database, question, ALL, null, 1)
    return record ?? null
  }

  async #question(filter: RequestConditions, scope: Scope): Promise<Question> {
    return requestQuestion(filter, scope, Boolean(filter.search) && (await this.#knowSearchIndex()))
  }

  /** It is made by a migration, or never. */
  async #knowSearchIndex(): Promise<boolean> {
    this.#hasSearchIndex ??= this.#database
      .em()
      .execute<{ found: boolean }[]>(`select to_regclass('request_record_search') is not null as found`)
      .then(([row]) => row!.found)
    this.#hasSearchIndex.catch(() => (this.#hasSearchIndex = null))
    return this.#hasSearchIndex
  }
}

/** RFC 9562: a UUID of version 7 begins with the milliseconds since 1970. */
function around(id: string): SqlCondition | null {
  if (id[14] !== '7') return null
  const made = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  return within({ from: made - AROUND_ID_MS, to: made + AROUND_ID_MS })
}
