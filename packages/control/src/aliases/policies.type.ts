/** What an alias is told of failures, of sticky routes, and of answers that are given again. */
import {
  REPLAY_PACES,
  ROUTING_STRATEGIES,
  STICKY_SCOPES,
  UNKNOWN_PARAMETERS,
  type CachePolicy,
  type HedgePolicy,
  type ReplayPace,
  type RetryPolicy,
  type StickyPolicy,
  type StickyScope,
} from '@millrace/shared'
import { Field, Float, InputType, Int, ObjectType, registerEnumType } from 'type-graphql'

import { enumOf } from '../graphql/enum.ts'

export const RoutingStrategyEnum = enumOf(ROUTING_STRATEGIES)
registerEnumType(RoutingStrategyEnum, {
  name: 'RoutingStrategy',
  valuesConfig: {
    WEIGHTED: { description: 'Each route gets its share by weight.' },
    ROUND_ROBIN: { description: 'One after another, whatever they weigh.' },
    RANDOM: { description: 'Any, each as likely as another, whatever they weigh.' },
    LEAST_LATENCY: { description: 'Of two at random the one that promises the sooner first token.' },
    LEAST_BUSY: { description: 'The one with the fewest requests in flight for its weight.' },
    LOWEST_COST: { description: 'The cheapest for the request; routes without a known price come last.' },
  },
})

export const StickyScopeEnum = enumOf(STICKY_SCOPES)
registerEnumType(StickyScopeEnum, { name: 'StickyScope', description: 'Whose requests stay with one route.' })

export const UnknownParametersEnum = enumOf(UNKNOWN_PARAMETERS)
registerEnumType(UnknownParametersEnum, {
  name: 'UnknownParameters',
  description: 'What becomes of a parameter that the chosen provider does not know.',
  valuesConfig: {
    DROP: { description: 'It is left out, and the answer names it in x-millrace-dropped-params.' },
    REFUSE: { description: 'The request is refused: 400 param_not_allowed, and param names it.' },
  },
})

@ObjectType('StickyPolicy', { simpleResolvers: true })
export class StickyPolicyType implements StickyPolicy {
  @Field(() => StickyScopeEnum)
  scope!: StickyScope

  @Field(() => Int, { description: 'From the last use.' })
  ttlSeconds!: number
}

@InputType()
export class StickyPolicyInput {
  @Field(() => StickyScopeEnum, { nullable: true })
  scope?: StickyScope | null

  @Field(() => Int, { nullable: true })
  ttlSeconds?: number | null
}

@ObjectType('RetryPolicy', { simpleResolvers: true })
export class RetryPolicyType implements RetryPolicy {
  @Field(() => Int, { description: 'The first among them. Going on to the next upstream key counts as none.' })
  maxAttempts!: number

  @Field(() => Int)
  initialBackoffMs!: number

  @Field(() => Float)
  multiplier!: number

  @Field(() => Int, { description: "Also the longest that an upstream's retry-after is waited for." })
  maxBackoffMs!: number

  @Field(() => Float, { description: 'The share by which a backoff is longer or shorter at random.' })
  jitter!: number
}

@InputType()
export class RetryPolicyInput {
  @Field(() => Int, { nullable: true })
  maxAttempts?: number | null

  @Field(() => Int, { nullable: true })
  initialBackoffMs?: number | null

  @Field(() => Float, { nullable: true })
  multiplier?: number | null

  @Field(() => Int, { nullable: true })
  maxBackoffMs?: number | null

  @Field(() => Float, { nullable: true })
  jitter?: number | null
}

@ObjectType('HedgePolicy', { simpleResolvers: true })
export class HedgePolicyType implements HedgePolicy {
  @Field(() => Int, { description: 'Milliseconds without a first token after which a second route is asked.' })
  afterMs!: number

  @Field(() => Float, { description: "Of the alias's requests: how many may be asked twice." })
  maxExtraPercent!: number
}

@InputType()
export class HedgePolicyInput {
  @Field(() => Int, { nullable: true })
  afterMs?: number | null

  @Field(() => Float, { nullable: true })
  maxExtraPercent?: number | null
}

export const ReplayPaceEnum = enumOf(REPLAY_PACES)
registerEnumType(ReplayPaceEnum, {
  name: 'ReplayPace',
  description: 'How fast a stored stream is given again.',
  valuesConfig: {
    FULL_SPEED: { description: 'As fast as the client takes it.' },
    RECORDED: { description: 'With the pauses that it had when it was stored.' },
  },
})

const ENABLED = 'Whether answers are stored and given again.'
const TTL_SECONDS = 'How long a stored answer is given, from when it was complete: 1 to 2678400, 31 days.'
const SHARE_ACROSS_PROJECT = "Whether a project's tokens have each other's answers; else each has only its own."
const COALESCE = 'Whether requests that are the same, and under way at once, share one upstream call.'
const STORE_TOOL_CALLS =
  'Whether answers that have their reader call tools are stored too: given again, they would be carried out again.'
const REPLAY_PACE = 'How fast a stored stream is given again.'

@ObjectType('CachePolicy', {
  description: 'Whether answers are given again, and calls shared by requests that are the same. Off unless set.',
  simpleResolvers: true,
})
export class CachePolicyType implements CachePolicy {
  @Field(() => Boolean, { description: ENABLED })
  enabled!: boolean

  @Field(() => Int, { description: TTL_SECONDS })
  ttlSeconds!: number

  @Field(() => Boolean, { description: SHARE_ACROSS_PROJECT })
  shareAcrossProject!: boolean

  @Field(() => Boolean, { description: COALESCE })
  coalesce!: boolean

  @Field(() => Boolean, { description: STORE_TOOL_CALLS })
  storeToolCalls!: boolean

  @Field(() => ReplayPaceEnum, { description: REPLAY_PACE })
  replayPace!: ReplayPace
}

@InputType({ description: 'An absent field keeps, null goes back to the default.' })
export class CachePolicyInput {
  @Field(() => Boolean, { nullable: true, description: ENABLED })
  enabled?: boolean | null

  @Field(() => Int, { nullable: true, description: TTL_SECONDS })
  ttlSeconds?: number | null

  @Field(() => Boolean, { nullable: true, description: SHARE_ACROSS_PROJECT })
  shareAcrossProject?: boolean | null

  @Field(() => Boolean, { nullable: true, description: COALESCE })
  coalesce?: boolean | null

  @Field(() => Boolean, { nullable: true, description: STORE_TOOL_CALLS })
  storeToolCalls?: boolean | null

  @Field(() => ReplayPaceEnum, { nullable: true, description: REPLAY_PACE })
  replayPace?: ReplayPace | null
}
