import { readAwsKey, type ProviderKind } from '@millrace/shared'

import { badInput } from '../graphql/errors.ts'

const AWS_FORMS =
  'must be an API key of Bedrock, or ACCESS_KEY_ID:SECRET_ACCESS_KEY with or without :SESSION_TOKEN, or a JSON object with accessKeyId and secretAccessKey'
/** What begins so is no API key: an access key's id by itself, or what is meant to be more. */
const AWS_PART = /^A[KS]IA[A-Z0-9]{16}$|[:{]/

/**
 * An upstream key in the spelling in which it is kept. What a proxy finds in its environment is not known here.
 * @param keyField what the key is called in the operation
 * @throws GraphQLError BAD_USER_INPUT where a provider of that kind can have no such key; the message does not tell it
 */
export function apiKeyFor(kind: ProviderKind, apiKey: string, keyField: string): string {
  if (kind !== 'BEDROCK' || apiKey.startsWith('env:')) return apiKey
  const key = readAwsKey(apiKey)
  if (key === null && AWS_PART.test(apiKey)) throw badInput(keyField, AWS_FORMS)
  return key !== null && apiKey.startsWith('{') ? JSON.stringify(key) : apiKey
}
