import type { BudgetPolicy, UsedSubject } from '@millrace/shared'
import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql'

import { connectionOf } from '../graphql/connections.ts'
import { enumOf } from '../graphql/enum.ts'
import { DateTime, JSONValue } from '../graphql/scalars.ts'
import { AccessInput, AccessType, toAccess } from '../limits/access.type.ts'
import { BudgetInput, subjectOf } from '../limits/budget.type.ts'
import { LimitsInput, LimitsType, toLimits } from '../limits/limits.type.ts'
import type { Token } from './token.entity.ts'

export const TokenStatus = enumOf(['ACTIVE', 'EXPIRED', 'EXHAUSTED', 'REVOKED'])
export type TokenStatus = keyof typeof TokenStatus
registerEnumType(TokenStatus, {
  name: 'TokenStatus',
  valuesConfig: { EXHAUSTED: { description: 'It has made all of its maxRequests.' } },
})

@ObjectType('Token', { description: "A client's key to the proxy.", simpleResolvers: true })
export class TokenType {
  /** For the field `project`. */
  projectId!: string

  /** For the field `budget`. */
  budgetPolicy!: BudgetPolicy | null

  /** What is asked for to know what was used. */
  usedSubject!: UsedSubject

  @Field(() => ID)
  id!: string

  @Field(() => String)
  name!: string

  @Field(() => String, { description: 'The part of the secret that may be shown.' })
  prefix!: string

  @Field(() => DateTime, { nullable: true })
  expiresAt!: Date | null

  @Field(() => Int, { nullable: true, description: 'How many requests it may make in all; null: no limit.' })
  maxRequests!: number | null

  @Field(() => LimitsType)
  limits!: LimitsType

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

@ObjectType({ simpleResolvers: true })
export class BulkRevocation {
  @Field(() => Int)
  revoked!: number

  @Field(() => Int)
  alreadyRevoked!: number

  @Field(() => Int, { description: 'Both together.' })
  total!: number
}

@ObjectType({ description: 'The secret is shown this once.', simpleResolvers: true })
export class CreatedToken {
  @Field(() => TokenType)
  token!: TokenType

  @Field(() => String)
  secret!: string
}

export function toToken(row: Token): TokenType {
  const { id, project, name, prefix, expiresAt, maxRequests, budget, metadata, createdAt, updatedAt, revokedAt } = row
  return {
    id,
    projectId: project,
    budgetPolicy: budget,
    usedSubject: subjectOf(id, budget),
    name,
    prefix,
    expiresAt,
    maxRequests,
    limits: toLimits(row.limits),
    access: toAccess(row.access),
    metadata,
    createdAt,
    updatedAt,
    revokedAt,
  }
}

/** @param requests so many it has made */
export function statusOf({ revokedAt, expiresAt, maxRequests }: TokenType, requests: number): TokenStatus {
  if (revokedAt) return 'REVOKED'
  if (expiresAt && expiresAt.getTime() <= Date.now()) return 'EXPIRED'
  return maxRequests !== null && requests >= maxRequests ? 'EXHAUSTED' : 'ACTIVE'
}

@InputType()
export class CreateTokenInput {
  @Field(() => String)
  name!: string

  @Field(() => ID)
  project!: string

  @Field(() => DateTime, { nullable: true })
  expiresAt?: Date | null

  @Field(() => Int, { nullable: true, description: 'How many requests it may make in all.' })
  maxRequests?: number | null

  @Field(() => BudgetInput, { nullable: true })
  budget?: BudgetInput | null

  @Field(() => LimitsInput, { nullable: true })
  limits?: LimitsInput | null

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

  @Field(() => Int, { nullable: true, description: 'How many requests it may make in all.' })
  maxRequests?: number | null

  @Field(() => BudgetInput, { nullable: true })
  budget?: BudgetInput | null

  @Field(() => LimitsInput, { nullable: true })
  limits?: LimitsInput | null

  @Field(() => AccessInput, { nullable: true })
  access?: AccessInput | null

  @Field(() => JSONValue, { nullable: true })
  metadata?: unknown
}
