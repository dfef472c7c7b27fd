import { Field, ID, InputType, ObjectType, registerEnumType } from 'type-graphql'

import { connectionOf } from '../graphql/connections.ts'
import { enumOf } from '../graphql/enum.ts'
import { DateTime, JSONValue } from '../graphql/scalars.ts'
import { AccessInput, AccessType } from './access.type.ts'
import type { Token } from './token.entity.ts'

export const TokenStatus = enumOf(['ACTIVE', 'EXPIRED', 'REVOKED'])
export type TokenStatus = keyof typeof TokenStatus
registerEnumType(TokenStatus, { name: 'TokenStatus' })

@ObjectType('Token', { description: "A client's key to the proxy.", simpleResolvers: true })
export class TokenType {
  /** For the field `project`. */
  projectId!: string

  @Field(() => ID)
  id!: string

  @Field(() => String)
  name!: string

  @Field(() => String, { description: 'The part of the secret that may be shown.' })
  prefix!: string

  @Field(() => TokenStatus)
  status!: TokenStatus

  @Field(() => DateTime, { nullable: true })
  expiresAt!: Date | null

  @Field(() => AccessType)
  access!: AccessType

  @Field(() => JSONValue, { nullable: true })
  metadata!: Record<string, unknown> | null

  @Field(() => DateTime)
  createdAt!: Date

  @Field(() => DateTime)
  updatedAt!: Date

  @Field(() => DateTime, { nullable: true })
  revokedAt!: Date | null
}

export const TokenConnection = connectionOf('Token', () => TokenType)

@ObjectType({ description: 'The secret is shown this once.', simpleResolvers: true })
export class CreatedToken {
  @Field(() => TokenType)
  token!: TokenType

  @Field(() => String)
  secret!: string
}

export function toToken(row: Token): TokenType {
  const { id, project, name, prefix, expiresAt, metadata, createdAt, updatedAt, revokedAt } = row
  return {
    id,
    projectId: project,
    name,
    prefix,
    status: statusOf(row),
    expiresAt,
    access: { ownKeys: row.access.ownKeys ?? false },
    metadata,
    createdAt,
    updatedAt,
    revokedAt,
  }
}

function statusOf({ revokedAt, expiresAt }: Token): TokenStatus {
  if (revokedAt) return 'REVOKED'
  return expiresAt && expiresAt.getTime() <= Date.now() ? 'EXPIRED' : 'ACTIVE'
}

@InputType()
export class CreateTokenInput {
  @Field(() => String)
  name!: string

  @Field(() => ID)
  project!: string

  @Field(() => DateTime, { nullable: true })
  expiresAt?: Date | null

  @Field(() => AccessInput, { nullable: true })
  access?: AccessInput | null

  @Field(() => JSONValue, { nullable: true, description: 'A JSON object, 16 KB at most.' })
  metadata?: unknown
}

@InputType({ description: 'An absent field keeps, null clears, objects are merged (RFC 7396).' })
export class UpdateTokenInput {
  @Field(() => String, { nullable: true })
  name?: string | null

  @Field(() => DateTime, { nullable: true })
  expiresAt?: Date | null

  @Field(() => AccessInput, { nullable: true })
  access?: AccessInput | null

  @Field(() => JSONValue, { nullable: true })
  metadata?: unknown
}
