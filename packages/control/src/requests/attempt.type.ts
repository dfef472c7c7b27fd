import { CREDENTIAL_SOURCES, type AttemptRecord, type CredentialSource } from '@millrace/shared'
import { Field, Float, ID, Int, ObjectType, registerEnumType } from 'type-graphql'

import { enumOf } from '../graphql/enum.ts'
import { DateTime } from '../graphql/scalars.ts'

export const CredentialSourceEnum = enumOf(CREDENTIAL_SOURCES)
registerEnumType(CredentialSourceEnum, { name: 'CredentialSource' })

@ObjectType('RouteAttempt', { description: 'One try at one route.', simpleResolvers: true })
export class RouteAttemptType {
  /** For the field `provider`. */
  providerId!: string | null

  @Field(() => Int)
  index!: number

  @Field(() => ID, { nullable: true })
  routeId!: string | null

  @Field(() => String)
  providerName!: string

  @Field(() => String)
  providerModel!: string

  @Field(() => DateTime)
  startedAt!: Date

  @Field(() => Float)
  latencyMs!: number

  @Field(() => Float, { nullable: true })
  timeToFirstTokenMs!: number | null

  @Field(() => Int, { nullable: true })
  upstreamStatus!: number | null

  @Field(() => String, { nullable: true })
  errorClass!: string | null

  @Field(() => String, { nullable: true })
  errorMessage!: string | null

  @Field(() => String, { nullable: true, description: 'Without credentials and query.' })
  upstreamUrl!: string | null

  @Field(() => String, { nullable: true })
  contentType!: string | null

  @Field(() => CredentialSourceEnum, { nullable: true })
  credentialSource!: CredentialSource | null

  @Field(() => String, { nullable: true })
  credentialFingerprint!: string | null

  @Field(() => Boolean)
  hedged!: boolean
}

export function toAttempt(attempt: AttemptRecord): RouteAttemptType {
  return { ...attempt, startedAt: new Date(attempt.startedAt) }
}
