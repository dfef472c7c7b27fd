/**
 * The number that a value is, if it is one. Bodies are parsed so that numbers keep their spelling (canonical/exact-json.ts):
 * one that JavaScript would spell otherwise is an object.
 */
export function exactNumber(value: unknown): number | null {
  if (typeof value === 'number') return value
  if (!isRaw(value)) return null
  const number = Number(value.rawJSON)
  return Number.isNaN(number) ? null : number
}

/** Whether it is a value of `JSON.rawJSON`, not an object of the client's. */
export function isRaw(value: unknown): value is { readonly rawJSON: string } {
  return (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value)
}
