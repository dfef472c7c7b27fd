import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'

import { enumOf } from '../graphql/enum.ts'
import { DateTime } from '../graphql/scalars.ts'
import type { Alias } from './alias.entity.ts'
import { RouteInput } from './route.type.ts'

export const RoutingStrategy = enumOf(['WEIGHTED'])
export type RoutingStrategy = keyof typeof RoutingStrategy
registerEnumType(RoutingStrategy, { name: 'RoutingStrategy' })

@ObjectType('Alias', {
  description:
    'A public model name, and the routes that can serve it. In other systems: logical group, model group, virtual model.',
  simpleResolvers: true,
})
export class AliasType {
  /** For the field `project`. */
  projectId!: string | null

  @Field(() => ID)
  id!: string

  @Field(() => String)
  name!: string

  @Field(() => Boolean)
  enabled!: boolean

  @Field(() => RoutingStrategy, {
    description: 'How a route is chosen among those of equal priority; lower priorities are fallbacks.',
  })
  strategy!: string

  @Field(() => DateTime)
  createdAt!: Date

  @Field(() => DateTime)
  updatedAt!: Date
}

export function toAlias({ id, name, project, enabled, strategy, createdAt, updatedAt }: Alias): AliasType {
  return { id, projectId: project, name, enabled, strategy, createdAt, updatedAt }
}

@InputType()
export class CreateAliasInput {
  @Field(() => String, { description: 'Any name without spaces that a client may ask for: gpt-4o, team/chat.' })
  name!: string

  @Field(() => ID, { nullable: true, description: 'Null: for every project that has none of that name itself.' })
  project?: string | null

  @Field(() => Boolean, { nullable: true, defaultValue: true })
  enabled?: boolean | null

  @Field(() => RoutingStrategy, { nullable: true, defaultValue: RoutingStrategy.WEIGHTED })
  strategy?: RoutingStrategy | null

  @Field(() => [RouteInput])
  routes!: RouteInput[]
}

@InputType({ description: 'An absent field keeps.' })
export class UpdateAliasInput {
  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => Boolean, { nullable: true })
  enabled?: boolean | null

  @Field(() => RoutingStrategy, { nullable: true })
  strategy?: RoutingStrategy | null
}
