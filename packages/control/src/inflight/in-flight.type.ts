import type { InFlight } from '@millrace/shared'
import { Field, Float, ID, Int, ObjectType } from 'type-graphql'

import { DateTime, Decimal } from '../graphql/scalars.ts'

@ObjectType('InFlightRequest', { description: 'A request that is being served now.', simpleResolvers: true })
export class InFlightRequestType {
  /** For the field `project`. */
  projectId!: string | null
  /** For the field `token`. */
  tokenId!: string | null
  /** For the field `provider`. */
  providerId!: string | null

  @Field(() => ID, { description: "Its record's, once there is one; cancelRequest takes it." })
  id!: string

  @Field(() => String)
  requestId!: string

  @Field(() => DateTime)
  startedAt!: Date

  @Field(() => String)
  endpoint!: string

  @Field(() => String, { description: 'As its client asks for it; empty as long as the request was not read.' })
  model!: string

  @Field(() => String, { nullable: true, description: 'Null as long as no provider is being asked.' })
  providerModel!: string | null

  @Field(() => Boolean)
  stream!: boolean

  @Field(() => Float, { nullable: true, description: 'Of a stream that has begun.' })
  timeToFirstTokenMs!: number | null

  @Field(() => Int, {
    description:
      'So far: as the provider has said, else about one for each event with content; 0 of what is not streamed.',
  })
  outputTokens!: number

  @Field(() => Decimal, {
    nullable: true,
    description:
      'So far, of input and output; null where no price is known. 0 of what a stored answer, or a call on the account of another request, is given to.',
  })
  costUsd!: string | null

  @Field(() => String)
  proxyId!: string
}

export function toInFlight({ startedAt, ...inFlight }: InFlight): InFlightRequestType {
  const { id, requestId, projectId, tokenId, endpoint, model, providerId, providerModel, stream } = inFlight
  return {
    id,
    requestId,
    startedAt: new Date(startedAt),
    projectId,
    tokenId,
    endpoint,
    model,
    providerId,
    providerModel,
    stream,
    timeToFirstTokenMs: inFlight.timeToFirstTokenMs,
    outputTokens: inFlight.outputTokens,
    costUsd: inFlight.costUsd,
    proxyId: inFlight.proxyId,
  }
}
