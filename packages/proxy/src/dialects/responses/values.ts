import { isObject, type JsonObject } from '../../canonical/values.ts'

/** The value if it is text, empty or not. */
export function stringOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** The objects of a list; none where it is no list. */
export function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}
