import type { StickyScope } from '@millrace/shared'
import { Field, ObjectType } from 'type-graphql'

import { StickyScopeEnum } from '../aliases/policies.type.ts'
import { DateTime } from '../graphql/scalars.ts'

@ObjectType('StickyBinding', { description: 'Whose requests stay with which route.', simpleResolvers: true })
export class StickyBindingType {
  /** For the field `alias`. */
  aliasId!: string
  /** For the field `route`. */
  routeId!: string

  @Field(() => String, { description: 'ALIAS:PROJECT:SCOPE:SUBJECT, by their ids.' })
  key!: string

  @Field(() => StickyScopeEnum)
  scope!: StickyScope

  @Field(() => DateTime)
  boundAt!: Date

  @Field(() => DateTime, { description: 'Unless it is used before.' })
  expiresAt!: Date
}
