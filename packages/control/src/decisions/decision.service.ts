import type { Scope } from '../access/scope.ts'
import type { Database } from '../db/database.ts'
import type { Bus } from '../feed/bus.ts'
import type { Mailbox } from '../feed/mailbox.ts'
import type { Page } from '../graphql/connections.ts'
import type { StoredRecord } from '../requests/ingest.service.ts'
import { recordPage } from '../requests/request.pages.ts'
import { decisionConditions, matchesDecision, readDecisionFilter, type DecisionFilter } from './decision.filter.ts'
import { isDecided, toDecision, type DecidedRecord, type RouteDecisionType } from './decision.type.ts'

/** Events that may wait for one subscriber. */
const FEED_CAPACITY = 1_000

/** What was decided for requests. It stands in their records. */
export class DecisionService {
  readonly #database: Database
  readonly #feed: Bus<StoredRecord>

  constructor(database: Database, feed: Bus<StoredRecord>) {
    this.#database = database
    this.#feed = feed
  }

  /** Newest first. */
  async page(
    scope: Scope,
    filter: DecisionFilter | null,
    requested: number | null,
    after: string | null,
  ): Promise<Page<RouteDecisionType>> {
    const conditions = [...decisionConditions(readDecisionFilter(filter)), ...scope.ownRows('project_id')]
    return recordPage(this.#database, conditions, requested, after, (record) => toDecision(record as DecidedRecord))
  }

  /** Records of requests that were routed, as they are stored. */
  subscribe(scope: Scope, given: DecisionFilter | null): Mailbox<StoredRecord> {
    const filter = readDecisionFilter(given)
    return this.#feed.subscribe(
      FEED_CAPACITY,
      ({ record }) => isDecided(record) && scope.isOwn(record.projectId) && matchesDecision(filter, record),
    )
  }
}
