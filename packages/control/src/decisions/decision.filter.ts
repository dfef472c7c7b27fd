/** Which decisions are wanted: the same question asked of the database and of a record that has just come. */
import { Field, ID, InputType } from 'type-graphql'
import * as z from 'zod'

import { flag, idText, readInput, searchText } from '../graphql/input.ts'
import { DateTime } from '../graphql/scalars.ts'
import { Conditions, type SqlCondition } from '../requests/conditions.ts'
import type { DecidedRecord } from './decision.type.ts'

@InputType({ description: 'All that are given must hold.' })
export class DecisionFilter {
  @Field(() => ID, { nullable: true })
  project?: string | null

  @Field(() => ID, { nullable: true })
  token?: string | null

  @Field(() => ID, { nullable: true })
  alias?: string | null

  @Field(() => ID, { nullable: true, description: 'Was asked, whether it answered or not.' })
  provider?: string | null

  @Field(() => ID, { nullable: true, description: 'Was asked, whether it answered or not.' })
  route?: string | null

  @Field(() => Boolean, { nullable: true })
  stickyHit?: boolean | null

  @Field(() => Boolean, { nullable: true })
  fallbackUsed?: boolean | null

  @Field(() => String, { nullable: true })
  errorClass?: string | null

  @Field(() => DateTime, { nullable: true, description: 'Of requests that started at this moment or later.' })
  from?: Date | null

  @Field(() => DateTime, { nullable: true, description: 'Of requests that started before this moment.' })
  to?: Date | null

  @Field(() => String, { nullable: true })
  requestId?: string | null
}

const id = idText.nullish()

const schema = z.object({
  project: id,
  token: id,
  alias: id,
  provider: id,
  route: id,
  stickyHit: flag.nullish(),
  fallbackUsed: flag.nullish(),
  errorClass: searchText.nullish(),
  from: z.date().nullish(),
  to: z.date().nullish(),
  requestId: searchText.nullish(),
})

/** A filter that was read. */
export type DecisionConditions = z.output<typeof schema>

/** @throws GraphQLError BAD_USER_INPUT */
export function readDecisionFilter(filter: DecisionFilter | null): DecisionConditions {
  return readInput(schema, filter ?? {}, 'filter')
}

/** What the database is asked, over table `request_record`. */
export function decisionConditions(filter: DecisionConditions): SqlCondition[] {
  const { all } = new Conditions()
    .given(filter.project, 'project_id = ?')
    .given(filter.token, 'token_id = ?')
    .given(filter.alias, 'alias_id = ?')
    .given(filter.provider, 'asked_ids @> array[?::uuid]')
    .given(filter.route, 'asked_ids @> array[?::uuid]')
    .given(filter.stickyHit, 'sticky_hit = ?')
    .given(filter.fallbackUsed, 'fallback_used = ?')
    .given(filter.errorClass, "(status <> 'SUCCESS' and error_class = ?)")
    .given(filter.from, 'started_at >= ?')
    .given(filter.to, 'started_at < ?')
    // The index holds the beginning only.
    .given(
      filter.requestId,
      '(left(request_id, 200) = left(?, 200) and request_id = ?)',
      filter.requestId,
      filter.requestId,
    )
  return [{ sql: 'decision is not null', values: [] }, ...all]
}

/** The same question of one record. */
export function matchesDecision(filter: DecisionConditions, record: DecidedRecord): boolean {
  const { project, token, alias, provider, route, stickyHit, fallbackUsed, errorClass, from, to, requestId } = filter
  const { decision, attempts } = record
  const startedAt = Date.parse(record.startedAt)
  return (
    (project == null || project === record.projectId) &&
    (token == null || token === record.tokenId) &&
    (alias == null || alias === record.aliasId) &&
    (provider == null || provider === record.providerId || attempts.some((one) => one.providerId === provider)) &&
    (route == null || route === decision.selectedRouteId || attempts.some((one) => one.routeId === route)) &&
    (stickyHit == null || stickyHit === decision.sticky.hit) &&
    (fallbackUsed == null || fallbackUsed === decision.fallbackUsed) &&
    (errorClass == null || errorClass === record.errorClass) &&
    (from == null || startedAt >= from.getTime()) &&
    (to == null || startedAt < to.getTime()) &&
    (requestId == null || requestId === record.requestId)
  )
}
