import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import type { Access, BreakerPolicy, ProviderKind, SnapshotProvider, Timeouts } from '@millrace/shared'

/** An upstream, as stored. */
@Entity({ tableName: 'provider' })
export class Provider {
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @Property({ type: 'text' })
  name!: string

  @Property({ type: 'text' })
  kind!: ProviderKind

  /** Null for a kind that is not reached by HTTP. */
  @Property({ type: 'text', nullable: true })
  baseUrl!: string | null

  @Property({ type: 'boolean' })
  enabled!: boolean

  /** Whether clients may ask for NAME/MODEL without an alias. */
  @Property({ type: 'boolean' })
  direct!: boolean

  /** Requests at once, from one proxy; null: no limit. */
  @Property({ type: 'integer', nullable: true })
  maxConcurrency!: number | null

  /** Only what was set; the rest is the defaults of the day. */
  @Property({ type: 'json' })
  timeouts!: Partial<Timeouts>

  /** Only what was set; the rest is the defaults of the day. */
  @Property({ type: 'json' })
  breaker!: Partial<BreakerPolicy>

  /** What an operator has set, over the breaker's own judgement. */
  @Property({ type: 'text', nullable: true })
  forcedBreaker!: SnapshotProvider['forcedBreaker']

  /** When the operator last did. */
  @Property({ type: 'datetime', length: 3, nullable: true })
  breakerSetAt!: Date | null

  /** Only what was set, as the kind's schema takes it. */
  @Property({ type: 'json' })
  settings!: Record<string, unknown>

  /** Only what was set. */
  @Property({ type: 'json' })
  access!: Partial<Access>

  @Property({ type: 'datetime', length: 3 })
  createdAt: Date = new Date()

  @Property({ type: 'datetime', length: 3, onUpdate: () => new Date() })
  updatedAt: Date = new Date()
}
