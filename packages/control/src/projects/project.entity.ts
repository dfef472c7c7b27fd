import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'

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

  @Property({ type: 'datetime', length: 3 })
  createdAt: Date = new Date()

  @Property({ type: 'datetime', length: 3, onUpdate: () => new Date() })
  updatedAt: Date = new Date()
}
