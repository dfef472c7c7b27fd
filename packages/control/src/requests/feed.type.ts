import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql'

import { enumOf } from '../graphql/enum.ts'
import { DateTime } from '../graphql/scalars.ts'
import { RequestRecordType } from './request.type.ts'

export const FeedEventKind = enumOf(['FINISHED'])
export type FeedEventKind = keyof typeof FeedEventKind
registerEnumType(FeedEventKind, { name: 'FeedEventKind' })

@ObjectType({ simpleResolvers: true })
export class RequestFeedEvent {
  @Field(() => ID)
  id!: string

  @Field(() => FeedEventKind)
  kind!: FeedEventKind

  @Field(() => DateTime)
  at!: Date

  @Field(() => String)
  requestId!: string

  @Field(() => RequestRecordType, { nullable: true, description: 'Set on FINISHED.' })
  record!: RequestRecordType | null

  @Field(() => Int, { description: 'Events that this subscriber was too slow to receive since the last one.' })
  dropped!: number
}
