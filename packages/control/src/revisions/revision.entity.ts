import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'

import type { Difference } from './difference.ts'

/** One change of configuration, as stored. Never changed afterwards. */
@Entity({ tableName: 'config_revision' })
export class ConfigRevision {
  @PrimaryKey({ type: 'integer' })
  number!: number

  @Property({ type: 'datetime', length: 3 })
  createdAt!: Date

  /** The admin key's name. */
  @Property({ type: 'text' })
  author!: string

  @Property({ type: 'text', nullable: true })
  message!: string | null

  @Property({ type: 'json' })
  changes!: Difference[]
}
