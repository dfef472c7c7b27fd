import { Field, ID, InputType, ObjectType } from 'type-graphql'

import { DateTime } from '../graphql/scalars.ts'
import type { ProviderCredential } from './credential.entity.ts'

@ObjectType('ProviderCredential', { description: 'An upstream key: never readable again.', simpleResolvers: true })
export class ProviderCredentialType {
  /** For the field `project`. */
  projectId!: string | null
  /** For the field `lastUsedAt`. */
  providerId!: string

  @Field(() => ID)
  id!: string

  @Field(() => String, { nullable: true })
  label!: string | null

  @Field(() => String, {
    description: 'sha256: and the first 16 hex digits; the env: reference itself where one was given.',
  })
  fingerprint!: string

  @Field(() => Boolean)
  enabled!: boolean

  @Field(() => DateTime)
  createdAt!: Date
}

export function toCredential({
  id,
  provider,
  project,
  label,
  fingerprint,
  enabled,
  createdAt,
}: ProviderCredential): ProviderCredentialType {
  return { id, providerId: provider, projectId: project, label, fingerprint, enabled, createdAt }
}

@InputType()
export class CredentialInput {
  @Field(() => String, {
    description:
      'The key itself (stored encrypted), or env:NAME (resolved in the proxy). For BEDROCK an API key, or ACCESS_KEY_ID:SECRET[:SESSION_TOKEN], or these as JSON.',
  })
  apiKey!: string

  @Field(() => String, { nullable: true })
  label?: string | null

  @Field(() => ID, { nullable: true, description: 'Null: it serves every project.' })
  project?: string | null
}
