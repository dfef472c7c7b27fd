import { readAwsKey } from '@millrace/shared'

/** What of an upstream key nobody may read: itself, and of several in one each by itself. */
export function secretsIn(key: string): readonly string[] {
  const read = readAwsKey(key)
  if (read === null) return [key]
  const { secretAccessKey, sessionToken } = read
  return sessionToken === null ? [key, secretAccessKey] : [key, secretAccessKey, sessionToken]
}
