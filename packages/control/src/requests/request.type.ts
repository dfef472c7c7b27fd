import {
  CACHE_OUTCOMES,
  CACHE_TIERS,
  REQUEST_STATUSES,
  USAGE_SOURCES,
  type CacheOutcome,
  type CacheTier,
  type RequestRecord,
  type RequestStatus,
  type TokenUsage,
  type UsageSource,
} from '@millrace/shared'
import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql'

import { isDecided, RouteDecisionType, toDecision } from '../decisions/decision.type.ts'
import { connectionOf } from '../graphql/connections.ts'
import { enumOf } from '../graphql/enum.ts'
import { DateTime, Decimal, JSONValue } from '../graphql/scalars.ts'
import { RouteAttemptType, toAttempt } from './attempt.type.ts'

export const RequestStatusEnum = enumOf(REQUEST_STATUSES)
registerEnumType(RequestStatusEnum, { name: 'RequestStatus' })

export const CacheOutcomeEnum = enumOf(CACHE_OUTCOMES)
registerEnumType(CacheOutcomeEnum, {
  name: 'CacheOutcome',
  valuesConfig: {
    HIT: { description: 'A stored answer was given again.' },
    MISS: { description: 'There was none that could be given, and a provider was asked.' },
    BYPASS: { description: 'The cache was not asked, or the alias has none.' },
    COALESCED: { description: 'The answer that a provider gave to another request, the same as this.' },
  },
})

export const CacheTierEnum = enumOf(CACHE_TIERS)
registerEnumType(CacheTierEnum, {
  name: 'CacheTier',
  valuesConfig: {
    MEMORY: { description: "The proxy's own memory." },
    SHARED: { description: 'Redis, which all proxies share.' },
  },
})

export const UsageSourceEnum = enumOf(USAGE_SOURCES)
registerEnumType(UsageSourceEnum, { name: 'UsageSource' })

@ObjectType('TokenUsage', { simpleResolvers: true })
export class TokenUsageType implements TokenUsage {
  @Field(() => Int)
  inputTokens!: number

  @Field(() => Int)
  outputTokens!: number

  @Field(() => Int, { description: 'Of the input tokens.' })
  cachedInputTokens!: number

  @Field(() => Int, { description: 'Of the input tokens: those that the provider put into its cache now.' })
  cacheWriteTokens!: number

  @Field(() => Int, { description: 'Of the output tokens.' })
  reasoningTokens!: number

  @Field(() => Int, { description: 'Of the input tokens.' })
  inputAudioTokens!: number

  @Field(() => Int, { description: 'Of the output tokens.' })
  outputAudioTokens!: number

  @Field(() => UsageSourceEnum)
  source!: UsageSource

  @Field(() => Boolean, {
    description:
      "Whether a provider was asked for it on this request's account; else these are the answer's tokens, and were not paid for again.",
  })
  billed!: boolean
}

@ObjectType('RequestRecord', {
  description: 'One finished request, whatever became of it. Written once.',
  simpleResolvers: true,
})
export class RequestRecordType {
  /** For the field `project`. */
  projectId!: string | null
  /** For the field `token`. */
  tokenId!: string | null
  /** For the field `alias`. */
  aliasId!: string | null
  /** For the field `provider`. */
  providerId!: string | null

  @Field(() => ID, {
    description: "Unique, made by the proxy, and in the answer's x-millrace-id; requestId may be the client's.",
  })
  id!: string

  @Field(() => String)
  requestId!: string

  @Field(() => DateTime)
  startedAt!: Date

  @Field(() => DateTime)
  finishedAt!: Date

  @Field(() => String)
  endpoint!: string

  @Field(() => String)
  model!: string

  @Field(() => String, { nullable: true })
  providerModel!: string | null

  @Field(() => Boolean)
  stream!: boolean

  @Field(() => RequestStatusEnum)
  status!: RequestStatus

  @Field(() => Int)
  httpStatus!: number

  @Field(() => String, { nullable: true })
  errorClass!: string | null

  @Field(() => String, { nullable: true })
  errorMessage!: string | null

  @Field(() => CacheOutcomeEnum)
  cache!: CacheOutcome

  @Field(() => CacheTierEnum, {
    nullable: true,
    description: 'Where the stored answer was found; null unless it was a HIT.',
  })
  cacheTier!: CacheTier | null

  @Field(() => TokenUsageType)
  usage!: TokenUsageType

  @Field(() => Decimal, { nullable: true, description: 'Null where no price is known.' })
  costUsd!: string | null

  @Field(() => Float)
  latencyMs!: number

  @Field(() => Float, { nullable: true })
  timeToFirstTokenMs!: number | null

  @Field(() => Float)
  overheadMs!: number

  @Field(() => [RouteAttemptType])
  attempts!: RouteAttemptType[]

  @Field(() => RouteDecisionType, {
    nullable: true,
    description: 'Null where nothing was routed: the request was refused before, or answered by the gateway itself.',
  })
  decision!: RouteDecisionType | null

  @Field(() => String, { nullable: true })
  userKey!: string | null

  @Field(() => String, { nullable: true })
  conversationKey!: string | null

  @Field(() => JSONValue, { nullable: true })
  metadata!: Record<string, unknown> | null

  @Field(() => Int)
  configRevision!: number

  @Field(() => String)
  proxyId!: string
}

export const RequestRecordConnection = connectionOf('RequestRecord', () => RequestRecordType)

export function toRequest(record: RequestRecord): RequestRecordType {
  return {
    ...record,
    startedAt: new Date(record.startedAt),
    finishedAt: new Date(record.finishedAt),
    usage: { ...record.usage, billed: record.billed },
    attempts: record.attempts.map(toAttempt),
    decision: isDecided(record) ? toDecision(record) : null,
  }
}
