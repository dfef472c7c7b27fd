import { BigIntType } from '@mikro-orm/core'
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'

/** Who did what, as stored. */
@Entity({ tableName: 'audit_event' })
export class AuditEvent {
  @PrimaryKey({ type: 'uuid' })
  id!: string

  /** In the order in which they became visible. */
  @Property({ type: new BigIntType('number') })
  number!: number

  @Property({ type: 'datetime', length: 3 })
  at!: Date

  /** The admin key's name; `millrace` for what nobody asked for, `anonymous` for whoever had no good key. */
  @Property({ type: 'text' })
  actor!: string

  /** The mutation. */
  @Property({ type: 'text' })
  action!: string

  /** What it was done to: `provider openai`; of what was refused, where it was asked for: `Mutation.createProvider`. */
  @Property({ type: 'text', nullable: true })
  subject!: string | null

  @Property({ type: 'uuid', nullable: true })
  projectId!: string | null

  /** SUCCESS, or the code of the error with which it was refused. */
  @Property({ type: 'text' })
  result!: string

  @Property({ type: 'text', nullable: true })
  requestId!: string | null

  @Property({ type: 'text', nullable: true })
  clientIp!: string | null

  @Property({ type: 'json', nullable: true })
  details!: Record<string, unknown> | null
}
