/** Where a row stands in its order, as an opaque text. */
import { badInput } from './errors.ts'

/**
 * An opaque cursor.
 * @param list which list it is of: `requests`
 * @param parts where a row stands in its order
 */
export function encodeCursor(list: string, ...parts: readonly string[]): string {
  return Buffer.from(JSON.stringify([list, ...parts])).toString('base64url')
}

/**
 * The parts that {@link encodeCursor} was given.
 * @param isPart a check for each part
 * @throws GraphQLError BAD_USER_INPUT also for another list's cursor, whose place means nothing here
 */
export function decodeCursor(
  list: string,
  cursor: string,
  ...isPart: readonly ((part: string) => boolean)[]
): string[] {
  const [of, ...parts] = readCursor(cursor)
  if (of !== list && of !== undefined && LIST.test(of)) throw badInput('after', `is a cursor of ${of}, not of ${list}`)
  if (of === list && parts.length === isPart.length && isPart.every((check, i) => check(parts[i]!))) return parts
  throw badInput('after', 'is not a cursor of this list')
}

/** What a list may be called. */
const LIST = /^[a-zA-Z]{1,40}$/

function readCursor(cursor: string): string[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parts) && parts.every((part) => typeof part === 'string')) return parts
  } catch {
    // Not JSON: no cursor of ours.
  }
  return []
}
