import { Field, InputType, ObjectType } from 'type-graphql'

@ObjectType('Access', { description: "What a token's clients may do.", simpleResolvers: true })
export class AccessType {
  @Field(() => Boolean, {
    description: 'Whether the client may bring its own upstream key in x-millrace-upstream-key.',
  })
  ownKeys!: boolean
}

@InputType({ description: 'In an update an absent field keeps, and null goes back to the default.' })
export class AccessInput {
  @Field(() => Boolean, { nullable: true })
  ownKeys?: boolean | null
}
