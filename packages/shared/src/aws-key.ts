/** What AWS is asked with, where that is no API key: requests are signed with it. Both planes read it alike. */
import { textOf } from './routing/body-values.ts'

export interface AwsKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of credentials that are temporary; null: they last. */
  readonly sessionToken: string | null
}

/** `ACCESS_KEY_ID:SECRET_ACCESS_KEY`, and `:SESSION_TOKEN`: AWS's own characters, in which there is no colon. */
const IN_A_LINE = /^(\w{4,128}):([^\s:"]{8,})(?::([^\s:"]{8,}))?$/

/**
 * Reads an upstream key: in a line, or as the JSON that AWS's tools print, `{"accessKeyId", "secretAccessKey",
 * "sessionToken"}`, also with capitals at the beginning.
 * @returns null: it is something else, such as an API key
 */
export function readAwsKey(key: string): AwsKey | null {
  if (key.startsWith('{')) return readJsonKey(key)
  const parts = IN_A_LINE.exec(key)
  if (parts === null) return null
  return { accessKeyId: parts[1]!, secretAccessKey: parts[2]!, sessionToken: parts[3] ?? null }
}

function readJsonKey(text: string): AwsKey | null {
  let json: Record<string, unknown>
  try {
    json = JSON.parse(text) as Record<string, unknown>
  } catch {
    return null
  }
  const accessKeyId = textOf(json['accessKeyId'] ?? json['AccessKeyId'])
  const secretAccessKey = textOf(json['secretAccessKey'] ?? json['SecretAccessKey'])
  if (accessKeyId === null || secretAccessKey === null) return null
  return { accessKeyId, secretAccessKey, sessionToken: textOf(json['sessionToken'] ?? json['SessionToken']) }
}
