import { ArrayType } from '@mikro-orm/core'
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'

import type { Role } from './role.ts'

/** A key to this API, as stored: never the secret itself. */
@Entity({ tableName: 'admin_key' })
export class AdminKey {
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @Property({ type: 'text' })
  name!: string

  @Property({ type: 'text' })
  role!: Role

  /** The projects that it is bound to; null: none, it reaches everywhere. */
  @Property({ type: ArrayType, columnType: 'uuid[]', fieldName: 'project_ids', nullable: true })
  projects!: string[] | null

  /** The part of the secret that may be shown. */
  @Property({ type: 'text' })
  prefix!: string

  /** SHA-256 in hex. */
  @Property({ type: 'text' })
  digest!: string

  @Property({ type: 'datetime', length: 3 })
  createdAt: Date = new Date()

  /** To the minute. */
  @Property({ type: 'datetime', length: 3, nullable: true })
  lastUsedAt!: Date | null

  @Property({ type: 'datetime', length: 3, nullable: true })
  revokedAt!: Date | null
}
