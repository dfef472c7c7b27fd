import type { ProviderTestOutcome } from '@millrace/shared'
import { Field, Float, Int, ObjectType } from 'type-graphql'

@ObjectType('ProviderTestResult', { simpleResolvers: true })
export class ProviderTestResultType implements ProviderTestOutcome {
  @Field(() => Boolean, { description: 'Whether it answered as its API promises.' })
  ok!: boolean

  @Field(() => Float, { nullable: true, description: 'To the end of its answer; null: it was not asked.' })
  latencyMs!: number | null

  @Field(() => Int, { nullable: true, description: 'Of its answer.' })
  httpStatus!: number | null

  @Field(() => String, { nullable: true, description: "As of a request's attempt; null where it was not asked." })
  errorClass!: string | null

  @Field(() => String, { nullable: true, description: 'Why it is not ok.' })
  message!: string | null
}
