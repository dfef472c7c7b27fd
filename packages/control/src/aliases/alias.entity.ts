import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'

import { Project } from '../projects/project.entity.ts'

/** A public model name, as stored. */
@Entity({ tableName: 'alias' })
export class Alias {
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @Property({ type: 'text' })
  name!: string

  /** Null: for every project that has none of that name itself. */
  @ManyToOne({ entity: () => Project, mapToPk: true, fieldName: 'project_id', nullable: true })
  project!: string | null

  @Property({ type: 'boolean' })
  enabled!: boolean

  @Property({ type: 'text' })
  strategy!: string

  @Property({ type: 'datetime', length: 3 })
  createdAt: Date = new Date()

  @Property({ type: 'datetime', length: 3, onUpdate: () => new Date() })
  updatedAt: Date = new Date()
}
