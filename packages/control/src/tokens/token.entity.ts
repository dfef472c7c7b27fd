import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import type { Access, BudgetPolicy, Limits, SnapshotSecret } from '@millrace/shared'

import { Project } from '../projects/project.entity.ts'

/** A client's key, as stored: never the secret itself. */
@Entity({ tableName: 'token' })
export class Token {
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @ManyToOne({ entity: () => Project, mapToPk: true, fieldName: 'project_id' })
  project!: string

  @Property({ type: 'text' })
  name!: string

  /** The part of the secret that may be shown. */
  @Property({ type: 'text' })
  prefix!: string

  /** SHA-256 in hex. */
  @Property({ type: 'text' })
  digest!: string

  /** The secrets that were replaced, the last one first. */
  @Property({ type: 'json' })
  retired!: readonly SnapshotSecret[]

  @Property({ type: 'datetime', length: 3, nullable: true })
  expiresAt!: Date | null

  /** How many requests it may make in all; null: no limit. */
  @Property({ type: 'integer', nullable: true })
  maxRequests!: number | null

  /** Only what was set. */
  @Property({ type: 'json' })
  limits!: Partial<Limits>

  @Property({ type: 'json', nullable: true })
  budget!: BudgetPolicy | null

  /** Only what was set. */
  @Property({ type: 'json' })
  access!: Partial<Access>

  @Property({ type: 'json', nullable: true })
  metadata!: Record<string, unknown> | null

  @Property({ type: 'datetime', length: 3, nullable: true })
  revokedAt!: Date | null

  @Property({ type: 'datetime', length: 3 })
  createdAt: Date = new Date()

  @Property({ type: 'datetime', length: 3, onUpdate: () => new Date() })
  updatedAt: Date = new Date()
}
