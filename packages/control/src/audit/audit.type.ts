import { Field, ID, InputType, Int, ObjectType } from 'type-graphql'

import { connectionOf } from '../graphql/connections.ts'
import { DateTime, JSONValue } from '../graphql/scalars.ts'
import type { AuditEvent } from './audit.entity.ts'

@ObjectType('AuditEvent', { description: 'Who did what, or was refused it.', simpleResolvers: true })
export class AuditEventType {
  /** For the field `project`. */
  projectId!: string | null

  @Field(() => ID)
  id!: string

  @Field(() => DateTime)
  at!: Date

  @Field(() => String, {
    description: "The admin key's name; millrace for what nobody asked for, anonymous for whoever had no good key.",
  })
  actor!: string

  @Field(() => String, {
    description:
      'The mutation, or debugExchange of one that was read; of what was refused for its rights, also the query or subscription.',
  })
  action!: string

  @Field(() => String, {
    nullable: true,
    description:
      'What it was done to: provider openai. Of what was refused, where it was asked for: Mutation.createProvider.',
  })
  subject!: string | null

  @Field(() => String, {
    description:
      'SUCCESS, or the code of the error with which it was refused. details.count: so many more like it in a minute.',
  })
  result!: string

  @Field(() => String, { nullable: true })
  requestId!: string | null

  @Field(() => String, { nullable: true })
  clientIp!: string | null

  @Field(() => JSONValue, { nullable: true, description: 'No secrets.' })
  details!: unknown

  @Field(() => Int, {
    nullable: true,
    description: 'In the feed: events that this subscriber was too slow to receive since the last one. Else null.',
  })
  dropped?: number
}

export const AuditEventConnection = connectionOf('AuditEvent', () => AuditEventType)

export function toAuditEvent(row: AuditEvent): AuditEventType {
  const { id, at, actor, action, subject, projectId, result, requestId, clientIp, details } = row
  return { id, at, actor, action, subject, projectId, result, requestId, clientIp, details }
}

@InputType()
export class AuditFilter {
  @Field(() => String, { nullable: true })
  actor?: string | null

  @Field(() => String, { nullable: true })
  action?: string | null

  @Field(() => String, { nullable: true, description: 'SUCCESS, FORBIDDEN, …' })
  result?: string | null

  @Field(() => ID, { nullable: true })
  project?: string | null

  @Field(() => DateTime, { nullable: true })
  from?: Date | null

  @Field(() => DateTime, { nullable: true, description: 'Before this moment.' })
  to?: Date | null
}
