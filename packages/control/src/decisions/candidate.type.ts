import { EXCLUSIONS, type CandidateRecord, type Exclusion } from '@millrace/shared'
import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql'

import { enumOf } from '../graphql/enum.ts'

export const ExclusionEnum = enumOf(EXCLUSIONS)
registerEnumType(ExclusionEnum, { name: 'Exclusion', description: 'Why a route was no candidate.' })

@ObjectType('RouteCandidate', { description: 'A route, as the decision saw it.', simpleResolvers: true })
export class RouteCandidateType implements CandidateRecord {
  /** For the field `provider`. */
  providerId!: string | null

  @Field(() => ID, { nullable: true, description: 'Null for a model addressed as NAME/MODEL.' })
  routeId!: string | null

  @Field(() => String)
  providerName!: string

  @Field(() => String)
  providerModel!: string

  @Field(() => Int)
  priority!: number

  @Field(() => Int)
  weight!: number

  @Field(() => Float, {
    nullable: true,
    description:
      'What the strategy compared it by: its weight; milliseconds, or USD a million tokens, where less is better; ' +
      'requests in flight for its weight. Null where the strategy compares nothing, and for what is not known.',
  })
  score!: number | null

  @Field(() => ExclusionEnum, { nullable: true, description: 'Null: it could be taken.' })
  excluded!: Exclusion | null

  @Field(() => Boolean, { description: 'Whether it answered; in an explanation, whether it would be tried first.' })
  selected!: boolean
}
