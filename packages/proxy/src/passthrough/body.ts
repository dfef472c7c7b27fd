/** What a request that is passed on brings with it. */
import type { IncomingMessage } from 'node:http'

export type BodyKind =
  /** It has none, or none that means anything. */
  | 'none'
  /** It is read: what stands in it counts. */
  | 'json'
  /** It goes by as it comes: multipart, audio, whatever is compressed. */
  | 'unread'

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i
/** JSON is in UTF-8 (RFC 8259, section 8.1). Where that is denied, somebody may read other names in it than are seen here. */
const OTHER_CHARSET = /;\s*charset\s*=\s*(?!"?(?:utf-?8|us-ascii)"?\s*(?:;|$))/i

export function bodyKindOf({ method, headers }: IncomingMessage): BodyKind {
  const { 'content-length': length, 'transfer-encoding': coding } = headers
  if (method === 'GET' || method === 'HEAD') return 'none'
  if (coding === undefined && Number(length ?? 0) === 0) return 'none'
  return isPlainJson(headers['content-type'], headers['content-encoding']) ? 'json' : 'unread'
}

/** Whether a body is JSON that can be read as it is. */
export function isPlainJson(type: unknown, encoding: unknown): boolean {
  const plain = encoding === undefined || encoding === '' || encoding === 'identity'
  return plain && typeof type === 'string' && JSON_TYPE.test(type) && !OTHER_CHARSET.test(type)
}
