import {
  DEFAULT_CACHE,
  DEFAULT_HEDGE,
  DEFAULT_RETRY,
  DEFAULT_STICKY,
  DEFAULT_TIMEOUTS,
  type RoutingStrategy,
  type Timeouts,
  type UnknownParameters,
} from '@millrace/shared'
import { Field, ID, InputType, ObjectType } from 'type-graphql'

import { DateTime, JSONValue } from '../graphql/scalars.ts'
import { TimeoutsInput, TimeoutsType } from '../providers/provider.type.ts'
import type { Alias } from './alias.entity.ts'
import {
  CachePolicyInput,
  CachePolicyType,
  HedgePolicyInput,
  HedgePolicyType,
  RetryPolicyInput,
  RetryPolicyType,
  RoutingStrategyEnum,
  StickyPolicyInput,
  StickyPolicyType,
  UnknownParametersEnum,
} from './policies.type.ts'
import { RouteInput } from './route.type.ts'

@ObjectType('Alias', {
  description:
    'A public model name, and the routes that can serve it. In other systems: logical group, model group, virtual model. ' +
    'A name may end in *: it then serves every model of that beginning, and the longest wins.',
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

  @Field(() => RoutingStrategyEnum, {
    description: 'How a route is chosen among those of equal priority; lower priorities are fallbacks.',
  })
  strategy!: RoutingStrategy

  @Field(() => StickyPolicyType)
  sticky!: StickyPolicyType

  @Field(() => RetryPolicyType)
  retry!: RetryPolicyType

  @Field(() => HedgePolicyType, { nullable: true, description: 'Null: no request is asked twice.' })
  hedge!: HedgePolicyType | null

  @Field(() => CachePolicyType)
  cache!: CachePolicyType

  @Field(() => TimeoutsType, {
    nullable: true,
    description:
      "Over the providers' where set. One that is not set here shows the default, and each provider's own holds: see timeoutOverrides.",
  })
  timeouts!: TimeoutsType | null

  @Field(() => JSONValue, { nullable: true, description: 'Only those of timeouts that were set here.' })
  timeoutOverrides!: Partial<Timeouts> | null

  @Field(() => UnknownParametersEnum, {
    description: 'What becomes of a parameter that the chosen provider does not know.',
  })
  unknownParameters!: UnknownParameters

  @Field(() => DateTime)
  createdAt!: Date

  @Field(() => DateTime)
  updatedAt!: Date
}

export function toAlias(row: Alias): AliasType {
  const { id, name, enabled, strategy, unknownParameters, createdAt, updatedAt } = row
  const overridden = Object.keys(row.timeouts).length > 0
  return {
    id,
    projectId: row.project,
    name,
    enabled,
    strategy,
    sticky: { ...DEFAULT_STICKY, ...row.sticky },
    retry: { ...DEFAULT_RETRY, ...row.retry },
    hedge: row.hedge && { ...DEFAULT_HEDGE, ...row.hedge },
    cache: { ...DEFAULT_CACHE, ...row.cache },
    timeouts: overridden ? { ...DEFAULT_TIMEOUTS, ...row.timeouts } : null,
    timeoutOverrides: overridden ? row.timeouts : null,
    unknownParameters,
    createdAt,
    updatedAt,
  }
}

@InputType()
export class CreateAliasInput {
  @Field(() => String, {
    description:
      'Any name without spaces that a client may ask for: gpt-4o, team/chat. With * at its end, gpt-*, every model of that beginning.',
  })
  name!: string

  @Field(() => ID, { nullable: true, description: 'Null: for every project that has none of that name itself.' })
  project?: string | null

  @Field(() => Boolean, { nullable: true, defaultValue: true })
  enabled?: boolean | null

  @Field(() => RoutingStrategyEnum, { nullable: true, defaultValue: RoutingStrategyEnum.WEIGHTED })
  strategy?: RoutingStrategy | null

  @Field(() => StickyPolicyInput, { nullable: true })
  sticky?: StickyPolicyInput | null

  @Field(() => RetryPolicyInput, { nullable: true })
  retry?: RetryPolicyInput | null

  @Field(() => HedgePolicyInput, { nullable: true, description: 'Null: no request is asked twice.' })
  hedge?: HedgePolicyInput | null

  @Field(() => CachePolicyInput, { nullable: true })
  cache?: CachePolicyInput | null

  @Field(() => TimeoutsInput, { nullable: true, description: "Over the providers' where set." })
  timeouts?: TimeoutsInput | null

  @Field(() => UnknownParametersEnum, { nullable: true, defaultValue: UnknownParametersEnum.DROP })
  unknownParameters?: UnknownParameters | null

  @Field(() => [RouteInput])
  routes!: RouteInput[]
}

@InputType({ description: 'An absent field keeps, null goes back to the defaults, objects are merged.' })
export class UpdateAliasInput {
  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => Boolean, { nullable: true })
  enabled?: boolean | null

  @Field(() => RoutingStrategyEnum, { nullable: true })
  strategy?: RoutingStrategy | null

  @Field(() => StickyPolicyInput, { nullable: true })
  sticky?: StickyPolicyInput | null

  @Field(() => RetryPolicyInput, { nullable: true })
  retry?: RetryPolicyInput | null

  @Field(() => HedgePolicyInput, { nullable: true, description: 'Null switches it off; {} on, with the defaults.' })
  hedge?: HedgePolicyInput | null

  @Field(() => CachePolicyInput, { nullable: true })
  cache?: CachePolicyInput | null

  @Field(() => TimeoutsInput, { nullable: true })
  timeouts?: TimeoutsInput | null

  @Field(() => UnknownParametersEnum, { nullable: true })
  unknownParameters?: UnknownParameters | null
}
