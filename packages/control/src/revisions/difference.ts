/** What a change of configuration did. What is shown of it must never hold a secret or a digest. */
import { isDeepStrictEqual } from 'node:util'

import type { Owners } from '../access/scope.ts'

export const CONFIG_ACTIONS = ['CREATE', 'UPDATE', 'DELETE'] as const
export type ConfigAction = (typeof CONFIG_ACTIONS)[number]

/** What may be shown of a thing: JSON, without secrets. Holds everything that routing reads, under the names of its columns. */
export type Description = Readonly<Record<string, unknown>>

/** What a thing has that never changes and isn't shown with its changes: its id, whose it is, its place. */
export interface Identity {
  readonly id: string
  readonly [fact: string]: string | number | null
}

/** What a change is about. */
export interface Subject {
  /** What it is: `provider`, `alias`, … */
  readonly kind: string
  readonly name: string
  readonly identity: Identity
  readonly owners: Owners
}

/** One thing made or removed, or one field of it changed, as it is shown. */
export interface ShownDifference {
  readonly action: ConfigAction
  readonly kind: string
  readonly name: string
  /** Of an update: which field, dotted where it lies deeper. Null where the whole thing is meant. */
  readonly path: string | null
  readonly before: unknown
  readonly after: unknown
}

/** As it is stored with its revision. */
export interface Difference extends ShownDifference {
  /** Missing in what was stored before migration 2. */
  readonly identity?: Identity
  /** Missing in what was stored before migration 6: nobody can say any more whose it was. */
  readonly owners?: Owners
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
    else if (!isDeepStrictEqual(asShown(old), asShown(now))) yield { path: prefix + key, before: old, after: now }
  }
}

/** An object that is one value: it has no fields to change, and one of another order is the same. */
export function whole(value: Description | null): Description | null {
  return value && Object.assign(Object.create(null) as object, value)
}

/** A plain one: a Date has no keys to compare, and is compared as the text that it is shown as. */
function isObject(value: unknown): value is Description {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function asShown(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
