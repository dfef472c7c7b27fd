/** Why a request went where it went, as GraphQL shows it. */
import type { DecisionRecord, RequestRecord, RoutingStrategy } from '@millrace/shared'
import { Field, Float, ID, Int, ObjectType } from 'type-graphql'

import { RoutingStrategyEnum } from '../aliases/policies.type.ts'
import { connectionOf } from '../graphql/connections.ts'
import { DateTime } from '../graphql/scalars.ts'
import { RouteAttemptType, toAttempt } from '../requests/attempt.type.ts'
import { RouteCandidateType } from './candidate.type.ts'
import { StickyOutcomeType, toStickyOutcome } from './outcome.type.ts'

@ObjectType('RouteDecision', { description: 'Why a request went where it went.', simpleResolvers: true })
export class RouteDecisionType {
  /** For the field `alias`. */
  aliasId!: string | null
  /** For the field `project`. */
  projectId!: string | null
  /** For the field `token`. */
  tokenId!: string | null
  /** For the field `selectedRoute`. */
  selectedRouteId!: string | null

  @Field(() => ID, { description: "The request's record's; of an explanation, one that nothing else has." })
  id!: string

  @Field(() => String, { nullable: true, description: 'Null for an explanation.' })
  requestId!: string | null

  @Field(() => DateTime, { description: 'When the request began, or was explained.' })
  at!: Date

  @Field(() => String)
  model!: string

  @Field(() => RoutingStrategyEnum, {
    nullable: true,
    description: 'Null for a model addressed as NAME/MODEL.',
  })
  strategy!: RoutingStrategy | null

  @Field(() => [RouteCandidateType], { description: "The alias's routes, with what kept each from being taken." })
  candidates!: readonly RouteCandidateType[]

  @Field(() => [RouteAttemptType])
  attempts!: RouteAttemptType[]

  @Field(() => StickyOutcomeType)
  sticky!: StickyOutcomeType

  @Field(() => Boolean, { description: 'Whether the route that answered was not the first choice.' })
  fallbackUsed!: boolean

  @Field(() => String, { nullable: true })
  userKey!: string | null

  @Field(() => String, { nullable: true })
  conversationKey!: string | null

  @Field(() => String, {
    nullable: true,
    description: 'In an explanation: the code with which proxies refuse its sender, before any routing.',
  })
  errorClass!: string | null

  @Field(() => Int, { nullable: true, description: "The last attempt's." })
  upstreamStatus!: number | null

  @Field(() => Float, { nullable: true, description: 'Of the whole request.' })
  latencyMs!: number | null

  @Field(() => Int)
  configRevision!: number

  @Field(() => Int, {
    nullable: true,
    description: 'In the feed: decisions that this subscriber was too slow to receive since the last one. Else null.',
  })
  dropped?: number
}

export const RouteDecisionConnection = connectionOf('RouteDecision', () => RouteDecisionType)

/** A record of a request that was routed. */
export type DecidedRecord = RequestRecord & { readonly decision: DecisionRecord }

export function isDecided(record: RequestRecord): record is DecidedRecord {
  return record.decision !== null
}

export function toDecision(record: DecidedRecord): RouteDecisionType {
  const { id, requestId, model, aliasId, projectId, tokenId, userKey, conversationKey, errorClass } = record
  const { latencyMs, configRevision, attempts } = record
  const { strategy, candidates, sticky, selectedRouteId, fallbackUsed } = record.decision
  return {
    id,
    requestId,
    at: new Date(record.startedAt),
    model,
    aliasId,
    projectId,
    tokenId,
    strategy,
    candidates,
    attempts: attempts.map(toAttempt),
    sticky: toStickyOutcome(sticky),
    selectedRouteId,
    fallbackUsed,
    userKey,
    conversationKey,
    errorClass,
    upstreamStatus: attempts.at(-1)?.upstreamStatus ?? null,
    latencyMs,
    configRevision,
  }
}
