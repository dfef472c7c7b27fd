import type { CacheReport } from '@millrace/shared'
import { Field, ID, InputType, ObjectType } from 'type-graphql'

import { BigIntNumber } from '../graphql/scalars.ts'

@ObjectType('CacheStats', {
  description: 'The sum of what the proxies report that are online: each counts from its start.',
  simpleResolvers: true,
})
export class CacheStatsType implements CacheReport {
  @Field(() => BigIntNumber, { description: "Answers in the proxies' memory now." })
  entries!: number

  @Field(() => BigIntNumber, { description: 'What they take there.' })
  bytes!: number

  @Field(() => BigIntNumber, { description: 'Requests that were given a stored answer, of either tier.' })
  hits!: number

  @Field(() => BigIntNumber, { description: 'Requests for which none was found.' })
  misses!: number

  @Field(() => BigIntNumber, { description: 'Answers that were stored.' })
  stores!: number

  @Field(() => BigIntNumber, { description: 'Requests that went past the cache though their alias has one.' })
  bypasses!: number

  @Field(() => BigIntNumber, { description: 'Requests that had the answer of another that was under way.' })
  coalesced!: number
}

@InputType({ description: 'Exactly one.' })
export class PurgeCacheInput {
  @Field(() => Boolean, { nullable: true, description: 'True: every stored answer.' })
  all?: boolean | null

  @Field(() => ID, { nullable: true, description: "The project's answers." })
  project?: string | null

  @Field(() => String, { nullable: true, description: 'The answers to this model, as clients ask for it.' })
  model?: string | null
}
