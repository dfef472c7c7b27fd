/** Which decisions are wanted: the same question asked of the database and of a record that has just come. */
import { flag } from '@millrace/shared'
import { Field, ID, InputType } from 'type-graphql'
import type * as z from 'zod'

import { idText, readInput } from '../graphql/input.ts'
import { matchesRecord, RecordFilter, recordFilter } from '../requests/record.filter.ts'
import type { DecidedRecord } from './decision.type.ts'

@InputType({ description: 'All that are given must hold.' })
export class DecisionFilter extends RecordFilter {
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
}

const schema = recordFilter.extend({
  alias: idText.nullish(),
  provider: idText.nullish(),
  route: idText.nullish(),
  stickyHit: flag.nullish(),
  fallbackUsed: flag.nullish(),
})

/** A filter that was read. */
export type DecisionConditions = z.output<typeof schema>

/** @throws GraphQLError BAD_USER_INPUT */
export function readDecisionFilter(filter: DecisionFilter | null): DecisionConditions {
  return readInput(schema, filter ?? {}, 'filter')
}

/** The same question of one record. */
export function matchesDecision(filter: DecisionConditions, record: DecidedRecord): boolean {
  const { alias, provider, route, stickyHit, fallbackUsed } = filter
  const { decision, attempts } = record
  return (
    matchesRecord(filter, record) &&
    (alias == null || alias === record.aliasId) &&
    (provider == null || provider === record.providerId || attempts.some((one) => one.providerId === provider)) &&
    (route == null || route === decision.selectedRouteId || attempts.some((one) => one.routeId === route)) &&
    (stickyHit == null || stickyHit === decision.sticky.hit) &&
    (fallbackUsed == null || fallbackUsed === decision.fallbackUsed)
  )
}
