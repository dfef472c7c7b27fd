import { Field, ID, ObjectType } from 'type-graphql'

import { DateTime } from '../graphql/scalars.ts'
import type { AdminKey } from './admin-key.entity.ts'
import { Role } from './role.ts'

@ObjectType({ description: 'Whose key this is.', simpleResolvers: true })
export class Viewer {
  @Field(() => ID)
  id!: string

  @Field(() => String)
  name!: string

  @Field(() => Role)
  role!: Role
}

@ObjectType('AdminKey', { description: 'A key to this API.', simpleResolvers: true })
export class AdminKeyType {
  @Field(() => ID)
  id!: string

  @Field(() => String)
  name!: string

  @Field(() => Role)
  role!: Role

  @Field(() => String, { description: 'The part of the secret that may be shown.' })
  prefix!: string

  @Field(() => DateTime)
  createdAt!: Date

  @Field(() => DateTime, { nullable: true, description: 'To the minute.' })
  lastUsedAt!: Date | null

  @Field(() => DateTime, { nullable: true })
  revokedAt!: Date | null
}

@ObjectType({ description: 'The secret is shown this once.', simpleResolvers: true })
export class CreatedAdminKey {
  @Field(() => AdminKeyType)
  adminKey!: AdminKeyType

  @Field(() => String)
  secret!: string
}

export function toAdminKey({ id, name, role, prefix, createdAt, lastUsedAt, revokedAt }: AdminKey): AdminKeyType {
  return { id, name, role, prefix, createdAt, lastUsedAt, revokedAt }
}
