import { Field, ID, ObjectType } from 'type-graphql'

import { DateTime } from '../graphql/scalars.ts'
import type { AdminKey } from './admin-key.entity.ts'
import type { Viewer } from './authenticate.ts'
import { Role } from './role.ts'
import type { Owners } from './scope.ts'

@ObjectType('Viewer', { description: 'Whose key this is.', simpleResolvers: true })
export class ViewerType {
  /** For the field `projects`. */
  projectIds!: Owners

  @Field(() => ID)
  id!: string

  @Field(() => String)
  name!: string

  @Field(() => Role)
  role!: Role
}

@ObjectType('AdminKey', { description: 'A key to this API.', simpleResolvers: true })
export class AdminKeyType {
  /** For the field `projects`. */
  projectIds!: Owners

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

export function toViewer({ id, name, role, scope }: Viewer): ViewerType {
  return { id, name, role, projectIds: scope.projects && [...scope.projects] }
}

export function toAdminKey({ projects, ...key }: AdminKey): AdminKeyType {
  const { id, name, role, prefix, createdAt, lastUsedAt, revokedAt } = key
  return { id, name, role, projectIds: projects, prefix, createdAt, lastUsedAt, revokedAt }
}
