import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql'

import { FEED_EVENT_KINDS, type FeedEvent } from '../feed/event.ts'
import type { Delivery } from '../feed/mailbox.ts'
import { enumOf } from '../graphql/enum.ts'
import { DateTime } from '../graphql/scalars.ts'
import { InFlightRequestType, toInFlight } from '../inflight/in-flight.type.ts'
import { RequestRecordType, toRequest } from './request.type.ts'

export const FeedEventKindEnum = enumOf(FEED_EVENT_KINDS)
export type FeedEventKind = keyof typeof FeedEventKindEnum
registerEnumType(FeedEventKindEnum, {
  name: 'FeedEventKind',
  valuesConfig: {
    STARTED: {
      description: 'A request was let in. A condition on what is known only at its end does not hold for it.',
    },
    FIRST_TOKEN: { description: 'Its client begins to get content.' },
    FINISHED: { description: 'Its record was stored.' },
  },
})

@ObjectType({ simpleResolvers: true })
export class RequestFeedEvent {
  @Field(() => ID, {
    description: 'For requestFeed(after:), for ten minutes. Ids sort by time; an event has the same at every process.',
  })
  id!: string

  @Field(() => FeedEventKindEnum)
  kind!: FeedEventKind

  @Field(() => DateTime)
  at!: Date

  @Field(() => String)
  requestId!: string

  @Field(() => InFlightRequestType, { nullable: true, description: 'Set on STARTED and FIRST_TOKEN, as it was then.' })
  inFlight!: InFlightRequestType | null

  @Field(() => RequestRecordType, { nullable: true, description: 'Set on FINISHED.' })
  record!: RequestRecordType | null

  @Field(() => Int, { description: 'Events that this subscriber was too slow to receive since the last one.' })
  dropped!: number
}

export function toFeedEvent({ message, dropped }: Delivery<FeedEvent>): RequestFeedEvent {
  const { id, kind, at } = message
  const isFinished = kind === 'FINISHED'
  return {
    id,
    kind,
    at,
    requestId: isFinished ? message.record.requestId : message.request.requestId,
    inFlight: isFinished ? null : toInFlight(message.request),
    record: isFinished ? toRequest(message.record) : null,
    dropped,
  }
}
