/** What is found where JSON of others is read: nothing of it is sure. */

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value if it is an object; else none, as an empty one. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : NOTHING
}

const NOTHING: JsonObject = {}

/** The value if it is a list; else an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The value if it is text; else none, as empty text. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The value if it is text that says anything. */
export function filledText(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
