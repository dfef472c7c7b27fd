import type { Fields } from './policy.ts'

/**
 * The headers that an answer depends on (RFC 9111, section 4.1), in lower case and in order.
 * @returns null where no other request is known to be like the one that it was for
 */
export function varyingNames(fields: Fields): readonly string[] | null {
  const names = new Set<string>()
  for (const name of (fields['vary'] ?? '').toLowerCase().split(',')) if (name.trim() !== '') names.add(name.trim())
  // Which upstream key a request goes with is not known before it goes.
  if (names.has('*') || names.has('authorization') || names.has('api-key') || names.has('x-api-key')) return null
  return [...names].sort()
}
