import { Field, ID, InputType, Int, ObjectType } from 'type-graphql'

import { Decimal, JSONValue } from '../graphql/scalars.ts'
import type { Route } from './route.entity.ts'

const PRICE = "USD per million tokens; null: the bundled price list's."

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
    description:
      "The provider's own model name; null: the model that was asked for. A * at its end stands for what the alias's * did.",
  })
  providerModel!: string | null

  @Field(() => Int, { description: 'Lower is tried first.' })
  priority!: number

  @Field(() => Int, { description: 'Its share within its priority. 0: only when nothing else is left.' })
  weight!: number

  @Field(() => Boolean)
  enabled!: boolean

  @Field(() => JSONValue, {
    nullable: true,
    description: 'Only requests that match are offered this route; the README has the language.',
  })
  condition!: Record<string, unknown> | null

  @Field(() => Decimal, { nullable: true, description: PRICE })
  inputPrice!: string | null

  @Field(() => Decimal, { nullable: true, description: PRICE })
  outputPrice!: string | null

  @Field(() => Decimal, { nullable: true, description: PRICE })
  cachedInputPrice!: string | null
}

export function toRoute(row: Route): RouteType {
  const { id, name, providerModel, priority, weight, enabled } = row
  const { condition, inputPrice, outputPrice, cachedInputPrice } = row
  return {
    id,
    aliasId: row.alias,
    providerId: row.provider,
    name,
    providerModel,
    priority,
    weight,
    enabled,
    condition,
    inputPrice,
    outputPrice,
    cachedInputPrice,
  }
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

  @Field(() => JSONValue, { nullable: true })
  condition?: unknown

  @Field(() => Decimal, { nullable: true })
  inputPrice?: string | null

  @Field(() => Decimal, { nullable: true })
  outputPrice?: string | null

  @Field(() => Decimal, { nullable: true })
  cachedInputPrice?: string | null
}

@InputType({ description: 'An absent field keeps, null goes back to the default.' })
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

  @Field(() => JSONValue, { nullable: true, description: 'Replaced as a whole.' })
  condition?: unknown

  @Field(() => Decimal, { nullable: true })
  inputPrice?: string | null

  @Field(() => Decimal, { nullable: true })
  outputPrice?: string | null

  @Field(() => Decimal, { nullable: true })
  cachedInputPrice?: string | null
}
