import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import type { BudgetPolicy, Limits } from '@millrace/shared'

/** A tenant, as stored. */
@Entity({ tableName: 'project' })
export class Project {
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @Property({ type: 'text' })
  name!: string

  @Property({ type: 'boolean' })
  active!: boolean

  @Property({ type: 'datetime', length: 3, nullable: true })
  deactivatedAt!: Date | null

  /** Only what was set. */
  @Property({ type: 'json' })
  limits!: Partial<Limits>

  @Property({ type: 'json', nullable: true })
  budget!: BudgetPolicy | null

  @Property({ type: 'datetime', length: 3 })
  createdAt: Date = new Date()

  @Property({ type: 'datetime', length: 3, onUpdate: () => new Date() })
  updatedAt: Date = new Date()
}
