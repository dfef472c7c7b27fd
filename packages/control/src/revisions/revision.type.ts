import { Field, Int, ObjectType, registerEnumType } from 'type-graphql'

import { connectionOf } from '../graphql/connections.ts'
import { enumOf } from '../graphql/enum.ts'
import { DateTime, JSONValue } from '../graphql/scalars.ts'
import { CONFIG_ACTIONS, type ConfigAction as Action } from './difference.ts'
import type { ConfigRevision } from './revision.entity.ts'

export const ConfigAction = enumOf(CONFIG_ACTIONS)
registerEnumType(ConfigAction, { name: 'ConfigAction' })

@ObjectType({ description: 'One thing made or removed, or one field of it changed.', simpleResolvers: true })
export class ConfigChange {
  @Field(() => ConfigAction)
  action!: Action

  @Field(() => String)
  kind!: string

  @Field(() => String)
  name!: string

  @Field(() => String, { nullable: true, description: 'Of an update: which field.' })
  path!: string | null

  @Field(() => JSONValue, { nullable: true })
  before!: unknown

  @Field(() => JSONValue, { nullable: true })
  after!: unknown
}

@ObjectType('ConfigRevision', {
  description: 'Every change of configuration makes one; none is ever changed.',
  simpleResolvers: true,
})
export class ConfigRevisionType {
  @Field(() => Int)
  number!: number

  @Field(() => DateTime)
  createdAt!: Date

  @Field(() => String)
  author!: string

  @Field(() => String, { nullable: true })
  message!: string | null

  @Field(() => [ConfigChange])
  changes!: ConfigChange[]
}

export const ConfigRevisionConnection = connectionOf('ConfigRevision', () => ConfigRevisionType)

export function toRevision({ number, createdAt, author, message, changes }: ConfigRevision): ConfigRevisionType {
  return { number, createdAt, author, message, changes }
}
