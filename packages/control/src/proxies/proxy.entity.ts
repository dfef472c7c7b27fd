import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'

/** A proxy process as it last reported itself. */
@Entity({ tableName: 'proxy_instance' })
export class ProxyInstance {
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @Property({ type: 'text' })
  version!: string

  @Property({ type: 'datetime', length: 3 })
  startedAt!: Date

  /** By the database's clock, so that all control processes agree. */
  @Property({ type: 'datetime', length: 3 })
  lastSeenAt!: Date

  @Property({ type: 'integer' })
  configRevision!: number

  @Property({ type: 'integer' })
  inFlight!: number

  @Property({ type: 'double' })
  requestsPerSecond!: number

  @Property({ type: 'integer' })
  recordsQueued!: number

  @Property({ type: 'integer' })
  recordsDropped!: number
}
