import { Field, ID, InputType, ObjectType } from 'type-graphql'

import { connectionOf } from '../graphql/connections.ts'
import { DateTime, JSONValue } from '../graphql/scalars.ts'
import type { AuditEvent } from './audit.entity.ts'

@ObjectType('AuditEvent', { description: 'Who did what.', simpleResolvers: true })
export class AuditEventType {
  /** For the field `project`. */
  projectId!: string | null

  @Field(() => ID)
  id!: string

  @Field(() => DateTime)
  at!: Date

  @Field(() => String, { description: "The admin key's name." })
  actor!: string

  @Field(() => String, { description: 'The mutation.' })
  action!: string

  @Field(() => String, { nullable: true, description: 'What it was done to: provider openai.' })
  subject!: string | null

  @Field(() => String)
  result!: string

  @Field(() => String, { nullable: true })
  requestId!: string | null

  @Field(() => String, { nullable: true })
  clientIp!: string | null

  @Field(() => JSONValue, { nullable: true, description: 'No secrets.' })
  details!: unknown
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

  @Field(() => ID, { nullable: true })
  project?: string | null

  @Field(() => DateTime, { nullable: true })
  from?: Date | null

  @Field(() => DateTime, { nullable: true, description: 'Before this moment.' })
  to?: Date | null
}
