import type { DebugExchange } from '@millrace/shared'
import { Field, ID, Int, ObjectType } from 'type-graphql'

import { connectionOf } from '../graphql/connections.ts'
import { DateTime, JSONValue } from '../graphql/scalars.ts'

@ObjectType('DebugExchangeSummary', {
  description: 'One request that was captured, without what was said.',
  simpleResolvers: true,
})
export class DebugExchangeSummaryType {
  /** For the fields `project` and `token`. */
  projectId!: string | null
  tokenId!: string | null

  @Field(() => ID, { description: "The record's." })
  id!: string

  @Field(() => String)
  requestId!: string

  @Field(() => DateTime, { description: 'When it began.' })
  at!: Date

  @Field(() => String)
  method!: string

  @Field(() => String, { description: 'Path and query, as the client sent them.' })
  target!: string

  @Field(() => String, { nullable: true, description: 'As the client named it.' })
  model!: string | null

  @Field(() => Int, { description: 'As it was sent; 499: the client went before there was any.' })
  responseStatus!: number

  @Field(() => Boolean, { description: 'Whether a body is longer than what is kept of it, or is no text.' })
  truncated!: boolean

  @Field(() => DateTime, { description: 'From then on it is gone.' })
  expiresAt!: Date
}

@ObjectType('DebugExchange', {
  description:
    'A request that was captured and the answer that its client got. Secrets are [redacted], as far as they can be told.',
  simpleResolvers: true,
})
export class DebugExchangeType extends DebugExchangeSummaryType {
  @Field(() => JSONValue, { description: 'By their names in lower case; a list where one came several times.' })
  requestHeaders!: DebugExchange['requestHeaders']

  @Field(() => String, {
    nullable: true,
    description: 'Null: there was none, or it was never read. What is no text is only described: [9000 bytes …].',
  })
  requestBody!: string | null

  @Field(() => JSONValue)
  responseHeaders!: DebugExchange['responseHeaders']

  @Field(() => String, { nullable: true, description: 'Of a stream, its events as they were sent.' })
  responseBody!: string | null
}

export const DebugExchangeConnection = connectionOf('DebugExchangeSummary', () => DebugExchangeSummaryType)
