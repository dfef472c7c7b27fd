import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'

import { Project } from '../projects/project.entity.ts'
import { Provider } from './provider.entity.ts'

/** One upstream key of a provider: sealed, or the name of an environment variable of the proxy. */
@Entity({ tableName: 'provider_credential' })
export class ProviderCredential {
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @ManyToOne({ entity: () => Provider, mapToPk: true, fieldName: 'provider_id' })
  provider!: string

  /** Null: serves every project. */
  @ManyToOne({ entity: () => Project, mapToPk: true, fieldName: 'project_id', nullable: true })
  project!: string | null

  @Property({ type: 'text', nullable: true })
  label!: string | null

  /** What may be shown. */
  @Property({ type: 'text' })
  fingerprint!: string

  /** The envelope, where the key itself was given. */
  @Property({ type: 'text', nullable: true })
  sealed!: string | null

  /** The variable's name, where an `env:` reference was given. */
  @Property({ type: 'text', nullable: true })
  env!: string | null

  /** The base URL that its provider had when it was entered. It is sent nowhere else. */
  @Property({ type: 'text', nullable: true })
  enteredFor!: string | null

  @Property({ type: 'boolean' })
  enabled!: boolean

  @Property({ type: 'datetime', length: 3 })
  createdAt: Date = new Date()
}
