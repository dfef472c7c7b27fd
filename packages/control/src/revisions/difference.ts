/** What a change of configuration did, as it is shown afterwards. Must never hold a secret or a digest. */

export const CONFIG_ACTIONS = ['CREATE', 'UPDATE', 'DELETE'] as const
export type ConfigAction = (typeof CONFIG_ACTIONS)[number]

/** What may be shown of a thing: JSON, without secrets. */
export type Description = Readonly<Record<string, unknown>>

/** One thing made or removed, or one field of it changed. */
export interface Difference {
  readonly action: ConfigAction
  /** What it is: `provider`, `alias`, … */
  readonly kind: string
  readonly name: string
  /** Of an update: which field, dotted where it lies deeper. Null where the whole thing is meant. */
  readonly path: string | null
  readonly before: unknown
  readonly after: unknown
}

/** The fields in which two descriptions differ: a path, and what stood there before and after. */
export function* differences(
  before: Description,
  after: Description,
  prefix = '',
): Generator<{ path: string; before: unknown; after: unknown }> {
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[key] ?? null, after[key] ?? null]
    if (isObject(old) && isObject(now)) yield* differences(old, now, `${prefix}${key}.`)
    else if (JSON.stringify(old) !== JSON.stringify(now)) yield { path: prefix + key, before: old, after: now }
  }
}

/** A plain one: a Date has no keys to compare, and is compared as the text that it is shown as. */
function isObject(value: unknown): value is Description {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
