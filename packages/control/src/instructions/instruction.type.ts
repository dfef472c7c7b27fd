import type { Instruction, PurgeScope } from '@millrace/shared'
import { Field, Float, ID, ObjectType } from 'type-graphql'

import { DateTime } from '../graphql/scalars.ts'

@ObjectType({ description: 'Which bindings are to be forgotten: those that were made before.', simpleResolvers: true })
export class ClearedBindings {
  @Field(() => ID)
  aliasId!: string

  @Field(() => String, { nullable: true, description: "Null: all of the alias's." })
  key!: string | null
}

@ObjectType({
  description: 'Which stored answers are to be forgotten: those that there are by then. Both null: all.',
  simpleResolvers: true,
})
export class PurgedAnswers implements PurgeScope {
  @Field(() => ID, { nullable: true })
  projectId!: string | null

  @Field(() => String, { nullable: true, description: 'As clients ask for it.' })
  model!: string | null
}

@ObjectType('Instruction', {
  description: 'What every proxy is to do: one of its fields that may be null.',
  simpleResolvers: true,
})
export class InstructionType implements Instruction {
  @Field(() => ID)
  id!: string

  @Field(() => DateTime)
  at!: string

  @Field(() => Float, { description: 'How long ago that was, whatever the clocks say.' })
  ageMs!: number

  @Field(() => ClearedBindings, { nullable: true })
  clearStickyBindings!: ClearedBindings | null

  @Field(() => PurgedAnswers, { nullable: true })
  purgeCache!: PurgedAnswers | null
}
