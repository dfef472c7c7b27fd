import { NO_LIMITS, type Limits } from '@millrace/shared'
import { Field, InputType, Int, ObjectType } from 'type-graphql'

const PER_MINUTE = 'Of input and output together: reserved by estimate, settled by real usage.'
const CONCURRENT = 'Requests that are being served at once.'

@ObjectType('Limits', { description: 'Null: no limit.', simpleResolvers: true })
export class LimitsType implements Limits {
  @Field(() => Int, { nullable: true })
  requestsPerMinute!: number | null

  @Field(() => Int, { nullable: true, description: PER_MINUTE })
  tokensPerMinute!: number | null

  @Field(() => Int, { nullable: true, description: CONCURRENT })
  maxConcurrent!: number | null
}

@InputType({ description: 'Each 1 or more. In an update an absent one keeps, and null takes it away.' })
export class LimitsInput {
  @Field(() => Int, { nullable: true })
  requestsPerMinute?: number | null

  @Field(() => Int, { nullable: true, description: PER_MINUTE })
  tokensPerMinute?: number | null

  @Field(() => Int, { nullable: true, description: CONCURRENT })
  maxConcurrent?: number | null
}

/** @param set what was set of it */
export function toLimits(set: Partial<Limits>): LimitsType {
  return { ...NO_LIMITS, ...set }
}
