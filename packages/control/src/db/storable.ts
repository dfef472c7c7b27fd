/** What `jsonb` takes: no NUL, and no half of a surrogate pair. */

/** Whether JSON text, as `JSON.stringify` writes it, has only characters that `jsonb` takes. */
export function isStorable(json: string): boolean {
  return !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(json)
}

/** A value of JSON as `jsonb` takes it: with U+FFFD for what it does not. */
export function storable<T>(value: T): T {
  return isStorable(JSON.stringify(value)) ? value : (mended(value) as T)
}

function mended(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\uFFFD').toWellFormed()
  if (Array.isArray(value)) return value.map(mended)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [mended(key) as string, mended(one)]))
}
