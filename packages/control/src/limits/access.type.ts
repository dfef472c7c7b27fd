import { DEFAULT_ACCESS, type Access } from '@millrace/shared'
import { Field, InputType, ObjectType } from 'type-graphql'

import { JSONValue } from '../graphql/scalars.ts'

const MODELS = 'Of what clients ask for: an alias, or NAME/MODEL.'
const ORIGINS = 'Of browsers: `https://*.example.com`. Where set, a request must say where it comes from.'
const RANGES = 'Addresses and CIDR ranges, IPv4 and IPv6.'
const PARAMS = 'Body parameter -> allowed values (globs). One that is absent from a request is allowed.'
const OWN_KEYS = 'Whether the client may bring its own upstream key in x-millrace-upstream-key.'

@ObjectType('Access', { description: 'Null: everything is allowed. Globs with *.', simpleResolvers: true })
export class AccessType implements Access {
  @Field(() => [String], { nullable: true, description: MODELS })
  models!: string[] | null

  @Field(() => [String], { nullable: true })
  endpoints!: string[] | null

  @Field(() => [String], { nullable: true })
  methods!: string[] | null

  @Field(() => [String], { nullable: true, description: ORIGINS })
  origins!: string[] | null

  @Field(() => [String], { nullable: true, description: RANGES })
  ipRanges!: string[] | null

  @Field(() => JSONValue, { nullable: true, description: PARAMS })
  params!: Record<string, string[]> | null

  @Field(() => [String], { nullable: true })
  requiredHeaders!: string[] | null

  @Field(() => Boolean, { description: OWN_KEYS })
  ownKeys!: boolean
}

@InputType({
  description:
    'In an update an absent field keeps, null goes back to the default, lists are replaced, params are merged (RFC 7396).',
})
export class AccessInput {
  @Field(() => [String], { nullable: true, description: MODELS })
  models?: string[] | null

  @Field(() => [String], { nullable: true })
  endpoints?: string[] | null

  @Field(() => [String], { nullable: true, description: 'In capitals.' })
  methods?: string[] | null

  @Field(() => [String], { nullable: true, description: ORIGINS })
  origins?: string[] | null

  @Field(() => [String], { nullable: true, description: RANGES })
  ipRanges?: string[] | null

  @Field(() => JSONValue, { nullable: true, description: PARAMS })
  params?: unknown

  @Field(() => [String], { nullable: true })
  requiredHeaders?: string[] | null

  @Field(() => Boolean, { nullable: true, description: OWN_KEYS })
  ownKeys?: boolean | null
}

/** @param set what was set of it */
export function toAccess(set: Partial<Access>): AccessType {
  return { ...DEFAULT_ACCESS, ...set }
}
