import type { RequestRecord } from './record.ts'

/** Characters and levels of nesting: what goes into a record must not be able to break it. */
const LONGEST_METADATA = 4_096
const DEEPEST_METADATA = 16

/** `x-millrace-metadata`: a JSON object of modest size, kept with the record; null for anything else. */
export function readMetadata(header: string | null): RequestRecord['metadata'] {
  if (header === null || header.length > LONGEST_METADATA) return null
  try {
    const value: unknown = JSON.parse(header)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
    return isShallow(value, DEEPEST_METADATA) ? (value as RequestRecord['metadata']) : null
  } catch {
    return null
  }
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every((member) => isShallow(member, levels - 1))
}
