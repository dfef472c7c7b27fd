import { Field, ID, InputType, Int, ObjectType } from 'type-graphql'

import type { Route } from './route.entity.ts'

@ObjectType('Route', {
  description: 'One way to serve an alias: a provider, and its name for the model.',
  simpleResolvers: true,
})
export class RouteType {
  /** For the field `alias`. */
  aliasId!: string
  /** For the field `provider`. */
  providerId!: string

  @Field(() => ID)
  id!: string

  @Field(() => String, { nullable: true })
  name!: string | null

  @Field(() => String, {
    nullable: true,
    description: "The provider's own model name; null: the model that was asked for.",
  })
  providerModel!: string | null

  @Field(() => Int, { description: 'Lower is tried first.' })
  priority!: number

  @Field(() => Int, { description: 'Its share within its priority. 0: only when nothing else is left.' })
  weight!: number

  @Field(() => Boolean)
  enabled!: boolean
}

export function toRoute({ id, alias, provider, name, providerModel, priority, weight, enabled }: Route): RouteType {
  return { id, aliasId: alias, providerId: provider, name, providerModel, priority, weight, enabled }
}

@InputType()
export class RouteInput {
  @Field(() => ID)
  provider!: string

  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => String, { nullable: true })
  providerModel?: string | null

  @Field(() => Int, { nullable: true, defaultValue: 0 })
  priority?: number | null

  @Field(() => Int, { nullable: true, defaultValue: 1 })
  weight?: number | null

  @Field(() => Boolean, { nullable: true, defaultValue: true })
  enabled?: boolean | null
}

@InputType({ description: 'An absent field keeps, null clears.' })
export class UpdateRouteInput {
  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => String, { nullable: true })
  providerModel?: string | null

  @Field(() => Int, { nullable: true })
  priority?: number | null

  @Field(() => Int, { nullable: true })
  weight?: number | null

  @Field(() => Boolean, { nullable: true })
  enabled?: boolean | null
}
