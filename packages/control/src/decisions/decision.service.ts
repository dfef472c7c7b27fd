import type { RequestRecord } from '@millrace/shared'

import type { Scope } from '../access/scope.ts'
import type { Database } from '../db/database.ts'
import type { FeedEvent } from '../feed/event.ts'
import type { Delivery } from '../feed/mailbox.ts'
import type { Page } from '../graphql/connections.ts'
import type { Place } from '../listing/question.ts'
import type { RequestFeed } from '../requests/feed.service.ts'
import { ALL, findRecords, recordPage } from '../requests/request.pages.ts'
import { matchesDecision, readDecisionFilter, type DecisionFilter } from './decision.filter.ts'
import { decisionQuestion } from './decision.question.ts'
import { isDecided, toDecision, type DecidedRecord, type RouteDecisionType } from './decision.type.ts'

/** What was decided for requests. It is kept for a shorter time than their records. */
export class DecisionService {
  readonly #database: Database
  readonly #feed: RequestFeed

  constructor(database: Database, feed: RequestFeed) {
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
    const question = decisionQuestion(readDecisionFilter(filter), scope)
    // One may go between its being found and its being read.
    const find = async (place: Place | null, count: number): Promise<RequestRecord[]> =>
      (await findRecords(this.#database, question, ALL, place, count)).filter(isDecided)
    return recordPage('routeDecisions', find, requested, after, (record) => toDecision(record as DecidedRecord))
  }

  /** Records of requests that were routed, as they are stored. */
  subscribe(scope: Scope, given: DecisionFilter | null): AsyncIterable<Delivery<FeedEvent>> {
    const filter = readDecisionFilter(given)
    return this.#feed.subscribe(
      {
        key: JSON.stringify(['decisions', filter, scope.key]),
        kinds: { records: true, live: false },
        wants: (event) =>
          event.kind === 'FINISHED' &&
          isDecided(event.record) &&
          scope.isOwn(event.record.projectId) &&
          matchesDecision(filter, event.record),
        conditions: [],
      },
      null,
    )
  }
}
