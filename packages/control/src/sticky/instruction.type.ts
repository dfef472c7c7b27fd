import { Field, ID, ObjectType } from 'type-graphql'

import { DateTime } from '../graphql/scalars.ts'

@ObjectType({ description: 'Which bindings are to be forgotten.', simpleResolvers: true })
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

  @Field(() => ClearedBindings, { nullable: true })
  clearStickyBindings!: ClearedBindings | null
}
