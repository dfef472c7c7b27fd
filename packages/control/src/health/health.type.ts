import { BREAKER_STATES, type BreakerState } from '@millrace/shared'
import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql'

import { enumOf } from '../graphql/enum.ts'
import { DateTime } from '../graphql/scalars.ts'

export const BreakerStateEnum = enumOf(BREAKER_STATES)
registerEnumType(BreakerStateEnum, {
  name: 'BreakerState',
  valuesConfig: {
    CLOSED: { description: 'Requests pass.' },
    OPEN: { description: 'No requests pass, as long as there is another way.' },
    HALF_OPEN: { description: 'One request at a time passes, to see whether it has recovered.' },
    FORCED_OPEN: { description: 'An operator lets no requests pass.' },
    FORCED_CLOSED: { description: 'An operator lets all requests pass.' },
  },
})

@ObjectType('ProviderHealth', {
  description: 'How a provider does, over all proxies that are online.',
  simpleResolvers: true,
})
export class ProviderHealthType {
  @Field(() => BreakerStateEnum, {
    description: "An operator's, or else OPEN or HALF_OPEN if the breaker of any proxy is.",
  })
  state!: BreakerState

  @Field(() => Int, { description: "Requests in the breakers' windows, as far as they count." })
  windowRequests!: number

  @Field(() => Int)
  windowErrors!: number

  @Field(() => Float, { description: '0 to 1; 0 of none.' })
  errorRate!: number

  @Field(() => Int)
  inFlight!: number

  @Field(() => Float, { nullable: true, description: 'Of attempts that succeeded in the last minutes; within 5 %.' })
  latencyP50Ms!: number | null

  @Field(() => Float, { nullable: true })
  latencyP95Ms!: number | null

  @Field(() => Float, { nullable: true })
  timeToFirstTokenP50Ms!: number | null

  @Field(() => DateTime, { nullable: true, description: 'When the first of the breakers that are not CLOSED opened.' })
  openedAt!: Date | null

  @Field(() => DateTime, { nullable: true, description: 'When the last of them will let a trial through.' })
  retryAt!: Date | null

  @Field(() => String, {
    nullable: true,
    description: "In the provider's words; null for keys bound to projects: they may repeat another's request.",
  })
  lastError!: string | null

  @Field(() => DateTime, { nullable: true })
  lastErrorAt!: Date | null
}
