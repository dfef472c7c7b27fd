/** Where a row stands in its order, as an opaque text. */
import { badInput } from './errors.ts'

/** An opaque cursor that holds where a row stands in its order. */
export function encodeCursor(...parts: readonly string[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url')
}

/**
 * What {@link encodeCursor} was given.
 * @param isPart a check for each part
 * @throws GraphQLError BAD_USER_INPUT
 */
export function decodeCursor(cursor: string, ...isPart: readonly ((part: string) => boolean)[]): string[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (
      Array.isArray(parts) &&
      parts.length === isPart.length &&
      isPart.every((check, i) => typeof parts[i] === 'string' && check(parts[i]))
    ) {
      return parts as string[]
    }
  } catch {
    // Not JSON: no cursor of ours.
  }
  throw badInput('after', 'is not a cursor of this list')
}
