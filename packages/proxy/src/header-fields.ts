/** Header fields that are for one connection alone. */

/** Hop-by-hop fields and framing (RFC 9110, section 7.6.1). */
export const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
] as const

const NONE: readonly string[] = []

/** The fields that a `connection` header declares to be for this hop alone (RFC 9110, section 7.6.1), in lower case. */
export function namedByConnection(connection: string | string[] | undefined): readonly string[] {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return NONE
  return String(connection)
    .toLowerCase()
    .split(/\s*,\s*/)
}
