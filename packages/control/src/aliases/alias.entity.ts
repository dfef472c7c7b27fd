import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import type {
  CachePolicy,
  HedgePolicy,
  RetryPolicy,
  RoutingStrategy,
  StickyPolicy,
  Timeouts,
  UnknownParameters,
} from '@millrace/shared'

import { Project } from '../projects/project.entity.ts'

/** A public model name, as stored. Of its policies only what was set; the rest is the defaults of the day. */
@Entity({ tableName: 'alias' })
export class Alias {
  @PrimaryKey({ type: 'uuid' })
  id!: string

  /** Serves every model of that beginning if it ends in `*`. */
  @Property({ type: 'text' })
  name!: string

  /** Null: for every project that has none of that name itself. */
  @ManyToOne({ entity: () => Project, mapToPk: true, fieldName: 'project_id', nullable: true })
  project!: string | null

  @Property({ type: 'boolean' })
  enabled!: boolean

  @Property({ type: 'text' })
  strategy!: RoutingStrategy

  @Property({ type: 'json' })
  sticky!: Partial<StickyPolicy>

  @Property({ type: 'json' })
  retry!: Partial<RetryPolicy>

  /** Null: no request is asked twice. */
  @Property({ type: 'json', nullable: true })
  hedge!: Partial<HedgePolicy> | null

  @Property({ type: 'json' })
  cache!: Partial<CachePolicy>

  /** Over the providers'. */
  @Property({ type: 'json' })
  timeouts!: Partial<Timeouts>

  /** What becomes of a parameter that the chosen provider does not know. */
  @Property({ type: 'text' })
  unknownParameters!: UnknownParameters

  @Property({ type: 'datetime', length: 3 })
  createdAt: Date = new Date()

  @Property({ type: 'datetime', length: 3, onUpdate: () => new Date() })
  updatedAt: Date = new Date()
}
