import type { BreakerPolicy } from '@millrace/shared'
import { Field, Float, InputType, Int, ObjectType } from 'type-graphql'

@ObjectType('BreakerPolicy', {
  description:
    'Opens at errorRate of at least minRequests in the window, or at consecutiveFailures in a row; 0: that rule is off.',
  simpleResolvers: true,
})
export class BreakerPolicyType implements BreakerPolicy {
  @Field(() => Float)
  errorRate!: number

  @Field(() => Int)
  minRequests!: number

  @Field(() => Int)
  windowSeconds!: number

  @Field(() => Int)
  consecutiveFailures!: number

  @Field(() => Int, { description: 'How long it stays open the first time; doubled each time that its trial fails.' })
  openSeconds!: number

  @Field(() => Int)
  maxOpenSeconds!: number
}

@InputType({ description: 'In an update an absent field keeps, and null goes back to the default.' })
export class BreakerPolicyInput {
  @Field(() => Float, { nullable: true })
  errorRate?: number | null

  @Field(() => Int, { nullable: true })
  minRequests?: number | null

  @Field(() => Int, { nullable: true })
  windowSeconds?: number | null

  @Field(() => Int, { nullable: true })
  consecutiveFailures?: number | null

  @Field(() => Int, { nullable: true })
  openSeconds?: number | null

  @Field(() => Int, { nullable: true })
  maxOpenSeconds?: number | null
}
