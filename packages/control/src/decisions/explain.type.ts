import { Field, ID, InputType, Int } from 'type-graphql'

import { JSONValue } from '../graphql/scalars.ts'

@InputType({ description: 'A request as a client would send it; nothing is sent upstream and nothing is counted.' })
export class ExplainRouteInput {
  @Field(() => String)
  model!: string

  @Field(() => String, { nullable: true, defaultValue: '/v1/chat/completions' })
  endpoint?: string | null

  @Field(() => ID, { nullable: true, description: "Who asks. Its project is the request's." })
  token?: string | null

  @Field(() => ID, { nullable: true, description: 'For a request of any token of it.' })
  project?: string | null

  @Field(() => String, { nullable: true, description: "Over the headers' and the body's." })
  userKey?: string | null

  @Field(() => String, { nullable: true, description: "Over the headers' and the body's." })
  conversationKey?: string | null

  @Field(() => JSONValue, { nullable: true, description: 'An object of texts.' })
  headers?: unknown

  @Field(() => JSONValue, { nullable: true, description: 'An object.' })
  body?: unknown

  @Field(() => Int, {
    nullable: true,
    description: 'Explain against this revision instead of the live one; tokens are those of today.',
  })
  configRevision?: number | null
}
