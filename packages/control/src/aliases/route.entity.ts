import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'

import { Provider } from '../providers/provider.entity.ts'
import { Alias } from './alias.entity.ts'

/** One way to serve an alias, as stored. */
@Entity({ tableName: 'route' })
export class Route {
  @PrimaryKey({ type: 'uuid' })
  id!: string

  @ManyToOne({ entity: () => Alias, mapToPk: true, fieldName: 'alias_id' })
  alias!: string

  @ManyToOne({ entity: () => Provider, mapToPk: true, fieldName: 'provider_id' })
  provider!: string

  @Property({ type: 'text', nullable: true })
  name!: string | null

  /** Null: the model that was asked for. A `*` at its end stands for what the alias's `*` did. */
  @Property({ type: 'text', nullable: true })
  providerModel!: string | null

  @Property({ type: 'integer' })
  priority!: number

  @Property({ type: 'integer' })
  weight!: number

  @Property({ type: 'boolean' })
  enabled!: boolean

  /** As condition.ts of shared takes it. Null: every request. */
  @Property({ type: 'json', nullable: true })
  condition!: Record<string, unknown> | null

  /** USD per million tokens, a decimal; null: the bundled price list's. */
  @Property({ type: 'string', columnType: 'numeric', nullable: true })
  inputPrice!: string | null

  @Property({ type: 'string', columnType: 'numeric', nullable: true })
  outputPrice!: string | null

  @Property({ type: 'string', columnType: 'numeric', nullable: true })
  cachedInputPrice!: string | null

  /** The order in which an alias's routes were given; ids of one millisecond have none. */
  @Property({ type: 'integer' })
  position!: number
}
