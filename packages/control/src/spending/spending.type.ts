import type { UsedOf, UsedSubject } from '@millrace/shared'
import { Field, ID, InputType, ObjectType } from 'type-graphql'

import { BigIntNumber, Decimal } from '../graphql/scalars.ts'

const WINDOW = 'Of a budget: a day (2026-11-20), a month (2026-11) or total. Null: no budget.'

@InputType({ description: 'A token or a project.' })
export class UsedSubjectInput implements UsedSubject {
  @Field(() => ID)
  id!: string

  @Field(() => String, { nullable: true, description: WINDOW })
  window!: string | null
}

@ObjectType('UsedOf', { description: 'What a token or a project has used.', simpleResolvers: true })
export class UsedOfType implements UsedOf {
  @Field(() => ID)
  id!: string

  @Field(() => String, { nullable: true, description: WINDOW })
  window!: string | null

  @Field(() => Decimal, { description: 'In the window, rounded up to 12 decimals.' })
  spentUsd!: string

  @Field(() => BigIntNumber, { description: 'Those that count towards maxRequests, since ever. 0 for projects.' })
  requests!: number
}
