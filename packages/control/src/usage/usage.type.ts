import { Field, InputType, ObjectType, registerEnumType } from 'type-graphql'

import { enumOf } from '../graphql/enum.ts'
import { BigIntNumber, DateTime, Decimal, JSONValue } from '../graphql/scalars.ts'
import { RequestFilter } from '../requests/request.filter.ts'
import { DIMENSIONS, type Dimension } from './dimensions.ts'
import { INTERVALS, type Interval } from './interval.ts'

export const UsageDimension = enumOf(DIMENSIONS)
registerEnumType(UsageDimension, { name: 'UsageDimension' })

export const UsageInterval = enumOf(INTERVALS)
registerEnumType(UsageInterval, {
  name: 'UsageInterval',
  description: 'Of UTC.',
  valuesConfig: { TOTAL: { description: 'All of the time that was asked for.' } },
})

const OFF = 'By at most 5 %.'

@ObjectType('UsageBucket', {
  description: 'What was used in an interval, of one group. Where there was no request there is none.',
  simpleResolvers: true,
})
export class UsageBucketType {
  @Field(() => DateTime, {
    description: 'Of the interval, even if it began before the time that was asked for; of TOTAL, that time.',
  })
  start!: Date

  @Field(() => JSONValue, {
    description:
      "What it was grouped by: an object by the dimensions' names, with ids of PROJECT, TOKEN and PROVIDER, whether they are there still or not. Null: none.",
  })
  dimensions!: Partial<Record<Dimension, string | null>>

  @Field(() => BigIntNumber, { description: 'Those that began in the interval and have ended.' })
  requests!: number

  @Field(() => BigIntNumber, { description: 'Of status ERROR, TIMEOUT or REJECTED.' })
  errors!: number

  @Field(() => BigIntNumber, { description: 'Of status CANCELLED.' })
  cancelled!: number

  @Field(() => BigIntNumber, { description: 'Answered from the cache.' })
  cacheHits!: number

  @Field(() => BigIntNumber, { description: 'Answered by what a provider gave to another request.' })
  coalesced!: number

  @Field(() => BigIntNumber, { description: 'Of requests that were billed, as all tokens here.' })
  inputTokens!: number

  @Field(() => BigIntNumber)
  outputTokens!: number

  @Field(() => BigIntNumber, { description: 'Of the input tokens.' })
  cachedInputTokens!: number

  @Field(() => BigIntNumber, { description: 'Of the output tokens.' })
  reasoningTokens!: number

  @Field(() => Decimal, { description: 'Exact, of requests that were billed, as far as prices are known.' })
  costUsd!: string

  @Field(() => Number, { nullable: true, description: `Half of the requests took no longer. ${OFF}` })
  latencyP50Ms!: number | null

  @Field(() => Number, { nullable: true, description: OFF })
  latencyP95Ms!: number | null

  @Field(() => Number, { nullable: true, description: OFF })
  latencyP99Ms!: number | null

  @Field(() => Number, { nullable: true, description: `Of the requests that have one; null: none has. ${OFF}` })
  timeToFirstTokenP50Ms!: number | null

  @Field(() => Number, { nullable: true, description: OFF })
  timeToFirstTokenP95Ms!: number | null
}

@InputType({ description: 'Requests that began from `from` on and before `to`.' })
export class UsageQuery {
  @Field(() => DateTime)
  from!: Date

  @Field(() => DateTime)
  to!: Date

  @Field(() => UsageInterval, { nullable: true, defaultValue: 'DAY', description: 'MINUTE: of a day at most.' })
  interval?: Interval | null

  @Field(() => [UsageDimension], { nullable: true, defaultValue: [] })
  groupBy?: Dimension[] | null

  @Field(() => RequestFilter, { nullable: true })
  filter?: RequestFilter | null
}
