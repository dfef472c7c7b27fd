/** What is found where JSON of others is read: nothing of it is sure. */

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What a text says in JSON; undefined: it is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
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

/** What a record can hold; no model has ever seen so many. */
export const MOST_TOKENS = 2_147_483_647

export function isTokenCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_TOKENS
}

/** The value if it is a number that tokens can have; else 0. */
export function tokensOf(value: unknown): number {
  return isTokenCount(value) ? value : 0
}

/** Whether it is an embedding, as APIs have it in JSON. */
export function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'number')
}
