import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'

/** Who did what, as stored. */
@Entity({ tableName: 'audit_event' })
export class AuditEvent {
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @Property({ type: 'datetime', length: 3 })
  at!: Date

  /** The admin key's name. */
  @Property({ type: 'text' })
  actor!: string

  /** The mutation. */
  @Property({ type: 'text' })
  action!: string

  /** What it was done to: `provider openai`. */
  @Property({ type: 'text', nullable: true })
  subject!: string | null

  @Property({ type: 'uuid', nullable: true })
  projectId!: string | null

  @Property({ type: 'text' })
  result!: string

  @Property({ type: 'text', nullable: true })
  requestId!: string | null

  @Property({ type: 'text', nullable: true })
  clientIp!: string | null

  @Property({ type: 'json', nullable: true })
  details!: Record<string, unknown> | null
}
