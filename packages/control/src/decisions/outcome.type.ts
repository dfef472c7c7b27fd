import { STICKY_ACTIONS, type StickyAction, type StickyOutcomeRecord, type StickyScope } from '@millrace/shared'
import { Field, ObjectType, registerEnumType } from 'type-graphql'

import { StickyScopeEnum } from '../aliases/policies.type.ts'
import { enumOf } from '../graphql/enum.ts'
import { DateTime } from '../graphql/scalars.ts'

export const StickyActionEnum = enumOf(STICKY_ACTIONS)
registerEnumType(StickyActionEnum, {
  name: 'StickyAction',
  description: "What became of a request's binding.",
  valuesConfig: {
    NONE: { description: 'It had none and got none.' },
    BIND: { description: 'It got one.' },
    HIT: { description: 'It went where it was bound to.' },
    REBIND_EXPIRED: { description: 'Its binding was too old; it got another.' },
    REBIND_UNAVAILABLE: {
      description: 'The bound route could not be taken, or failed, or was a fallback: it was bound to another.',
    },
  },
})

@ObjectType('StickyOutcome', { simpleResolvers: true })
export class StickyOutcomeType {
  @Field(() => StickyScopeEnum)
  scope!: StickyScope

  @Field(() => String, {
    nullable: true,
    description: "The binding's; null where the request had no subject of that scope.",
  })
  key!: string | null

  @Field(() => Boolean)
  hit!: boolean

  @Field(() => StickyActionEnum)
  action!: StickyAction

  @Field(() => String, { description: 'Where bindings are kept.' })
  backend!: string

  @Field(() => DateTime, { nullable: true })
  boundAt!: Date | null

  @Field(() => DateTime, { nullable: true })
  expiresAt!: Date | null
}

export function toStickyOutcome(outcome: StickyOutcomeRecord): StickyOutcomeType {
  const { scope, key, hit, action, backend, boundAt, expiresAt } = outcome
  return { scope, key, hit, action, backend, boundAt: toDate(boundAt), expiresAt: toDate(expiresAt) }
}

function toDate(moment: string | null): Date | null {
  return moment === null ? null : new Date(moment)
}
