/** How an update's objects go into what is stored. */

export type JsonObject = Record<string, unknown>

/** What stands after an update, if `patch` is what came: absent keeps, null clears, objects are merged (RFC 7396). */
export function merged<T extends JsonObject>(stored: T, patch: JsonObject | null | undefined): T {
  if (patch === undefined) return stored
  if (patch === null) return {} as T
  const result: JsonObject = { ...stored }
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue
    if (value === null) delete result[key]
    else result[key] = isObject(value) ? merged(isObject(result[key]) ? result[key] : {}, value) : value
  }
  return result as T
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
