import { DEFAULT_BREAKER, DEFAULT_TIMEOUTS, PROVIDER_KINDS, type ProviderKind, type Timeouts } from '@millrace/shared'
import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql'

import { enumOf } from '../graphql/enum.ts'
import { DateTime, JSONValue } from '../graphql/scalars.ts'
import { AccessInput, AccessType, toAccess } from '../limits/access.type.ts'
import { BreakerPolicyInput, BreakerPolicyType } from './breaker.type.ts'
import type { Provider } from './provider.entity.ts'

export const ProviderKindEnum = enumOf(PROVIDER_KINDS)
registerEnumType(ProviderKindEnum, { name: 'ProviderKind' })

const TIMEOUTS =
  "Milliseconds. connect: TCP and TLS. firstToken: a stream's request sent to its first content. " +
  'idle: between chunks of a body. total: the whole attempt.'

@ObjectType('Timeouts', { description: TIMEOUTS, simpleResolvers: true })
export class TimeoutsType implements Timeouts {
  @Field(() => Int)
  connect!: number

  @Field(() => Int)
  firstToken!: number

  @Field(() => Int)
  idle!: number

  @Field(() => Int)
  total!: number
}

@InputType({ description: 'Milliseconds. In an update an absent one keeps, and null goes back to the default.' })
export class TimeoutsInput {
  @Field(() => Int, { nullable: true })
  connect?: number | null

  @Field(() => Int, { nullable: true })
  firstToken?: number | null

  @Field(() => Int, { nullable: true })
  idle?: number | null

  @Field(() => Int, { nullable: true })
  total?: number | null
}

@ObjectType('Provider', { description: 'An upstream, with its keys.', simpleResolvers: true })
export class ProviderType {
  /** For the field `health`. */
  forcedBreaker!: Provider['forcedBreaker']

  @Field(() => ID)
  id!: string

  @Field(() => String)
  name!: string

  @Field(() => ProviderKindEnum)
  kind!: ProviderKind

  @Field(() => String, {
    nullable: true,
    description:
      'Without a slash at its end; where it is not set, that of its kind, preset or region. Null for SIMULATED.',
  })
  baseUrl!: string | null

  @Field(() => Boolean)
  enabled!: boolean

  @Field(() => Boolean, { description: 'Whether clients may ask for NAME/MODEL without an alias.' })
  direct!: boolean

  @Field(() => Int, { nullable: true, description: 'Requests at once, from one proxy; null: no limit.' })
  maxConcurrency!: number | null

  @Field(() => JSONValue, { nullable: true, description: 'Kind-specific; only what was set. No secrets.' })
  settings!: Record<string, unknown> | null

  @Field(() => TimeoutsType)
  timeouts!: TimeoutsType

  @Field(() => BreakerPolicyType)
  breaker!: BreakerPolicyType

  @Field(() => AccessType, {
    description: "Holds for every request that would go to this provider, beside the token's own.",
  })
  access!: AccessType

  @Field(() => DateTime)
  createdAt!: Date

  @Field(() => DateTime)
  updatedAt!: Date
}

export function toProvider(row: Provider): ProviderType {
  const { id, name, kind, baseUrl, enabled, direct, maxConcurrency, settings, createdAt, updatedAt } = row
  return {
    id,
    name,
    kind,
    baseUrl,
    enabled,
    direct,
    maxConcurrency,
    settings,
    forcedBreaker: row.forcedBreaker,
    timeouts: { ...DEFAULT_TIMEOUTS, ...row.timeouts },
    breaker: { ...DEFAULT_BREAKER, ...row.breaker },
    access: toAccess(row.access),
    createdAt,
    updatedAt,
  }
}

@InputType()
export class CreateProviderInput {
  @Field(() => String)
  name!: string

  @Field(() => ProviderKindEnum)
  kind!: ProviderKind

  @Field(() => String, {
    nullable: true,
    description:
      'Needed for AZURE_OPENAI, and for OPENAI_COMPATIBLE without a preset. The others have one of their own; SIMULATED takes none.',
  })
  baseUrl?: string | null

  @Field(() => Boolean, { nullable: true, defaultValue: true })
  enabled?: boolean | null

  @Field(() => [String], {
    nullable: true,
    description: 'Literal keys (stored encrypted) or env:NAME references (resolved in the proxy).',
  })
  apiKeys?: string[] | null

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: 'Whether clients may ask for NAME/MODEL without an alias.',
  })
  direct?: boolean | null

  @Field(() => Int, { nullable: true, description: 'Requests at once, from one proxy; null: no limit.' })
  maxConcurrency?: number | null

  @Field(() => TimeoutsInput, { nullable: true })
  timeouts?: TimeoutsInput | null

  @Field(() => BreakerPolicyInput, { nullable: true })
  breaker?: BreakerPolicyInput | null

  @Field(() => AccessInput, { nullable: true })
  access?: AccessInput | null

  @Field(() => JSONValue, {
    nullable: true,
    description:
      'Kind-specific settings: apiVersion for AZURE_OPENAI, region for BEDROCK, preset for OPENAI_COMPATIBLE, replies and latencies for SIMULATED.',
  })
  settings?: unknown
}

@InputType({ description: 'An absent field keeps, null goes back to the default, objects are merged (RFC 7396).' })
export class UpdateProviderInput {
  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => String, {
    nullable: true,
    description: 'Another one disables the stored credentials until they are entered again.',
  })
  baseUrl?: string | null

  @Field(() => Boolean, { nullable: true })
  enabled?: boolean | null

  @Field(() => Boolean, { nullable: true })
  direct?: boolean | null

  @Field(() => Int, { nullable: true })
  maxConcurrency?: number | null

  @Field(() => TimeoutsInput, { nullable: true })
  timeouts?: TimeoutsInput | null

  @Field(() => BreakerPolicyInput, { nullable: true })
  breaker?: BreakerPolicyInput | null

  @Field(() => AccessInput, { nullable: true })
  access?: AccessInput | null

  @Field(() => JSONValue, { nullable: true })
  settings?: unknown
}
