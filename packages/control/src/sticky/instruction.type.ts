import { Field, Float, ID, ObjectType } from 'type-graphql'

import { DateTime } from '../graphql/scalars.ts'

@ObjectType({ description: 'Which bindings are to be forgotten: those that were made before.', simpleResolvers: true })
export class ClearedBindings {
  @Field(() => ID)
  aliasId!: string

  @Field(() => String, { nullable: true, description: "Null: all of the alias's." })
  key!: string | null
}

@ObjectType('Instruction', { description: 'What every proxy is to do.', simpleResolvers: true })
export class InstructionType {
  @Field(() => ID)
  id!: string

  @Field(() => DateTime)
  at!: string

  @Field(() => Float, { description: 'How long ago that was, whatever the clocks say.' })
  ageMs!: number

  @Field(() => ClearedBindings, { nullable: true })
  clearStickyBindings!: ClearedBindings | null
}
