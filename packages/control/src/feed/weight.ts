/** How much memory a message takes, so that what waits for a subscriber can be bounded by it. */

/** An object's or array's own, and of each of its fields: as V8 lays them out on 64 bits. */
const OBJECT_BYTES = 56
const FIELD_BYTES = 8
const STRING_BYTES = 24
const NUMBER_BYTES = 16
/** V8 gives each character of a string two bytes if one of them needs them. Short ones are not looked at for it: they weigh little. */
const LOOKED_AT = 100
const NEEDS_TWO = /[\u0100-\uffff]/

/** About how many bytes a value of plain objects, as JSON has them, and dates takes in memory. It must have no circles. */
export function weightOf(value: unknown): number {
  if (typeof value === 'string') return STRING_BYTES + value.length * bytesEach(value)
  if (typeof value === 'number') return NUMBER_BYTES
  if (typeof value !== 'object' || value === null) return 0
  let bytes = OBJECT_BYTES
  for (const field of Object.values(value)) bytes += FIELD_BYTES + weightOf(field)
  return bytes
}

function bytesEach(text: string): number {
  return text.length > LOOKED_AT && NEEDS_TWO.test(text) ? 2 : 1
}
