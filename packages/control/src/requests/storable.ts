import { isStorable } from '../graphql/input.ts'

/** A value of JSON as `jsonb` takes it: with U+FFFD for NUL and for half a surrogate pair. */
export function storable<T>(value: T): T {
  return isStorable(JSON.stringify(value)) ? value : (mended(value) as T)
}

function mended(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\uFFFD').toWellFormed()
  if (Array.isArray(value)) return value.map(mended)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [mended(key) as string, mended(one)]))
}
