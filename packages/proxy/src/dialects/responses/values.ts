import { isObject, type JsonObject } from '../../canonical/values.ts'

/** The value if it is text, empty or not. */
export function stringOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

/** The objects of a list; none where it is no list. */
export function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

const SEQUENCE = '"sequence_number":'

/** The first number that stands in events, or in one; null: none does. */
export function sequenceOf(events: string): number | null {
  const at = events.indexOf(SEQUENCE)
  const number = at < 0 ? NaN : Number.parseInt(events.slice(at + SEQUENCE.length, at + SEQUENCE.length + 12), 10)
  return Number.isSafeInteger(number) ? number : null
}
