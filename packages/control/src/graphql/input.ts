/** Reading what a client sent, with zod, so that a fault is named by its field. */
import { isId, wholeNumber } from '@millrace/shared'
import * as z from 'zod'

import { isStorable } from '../db/storable.ts'
import { badInput } from './errors.ts'

const LONGEST_NAME = 200
const LONGEST_SEARCH = 4_096
const MOST_SMALL_BYTES = 16_384
const MOST_JSON_BYTES = 1_048_576
const MOST_JSON_LEVELS = 32

/**
 * @param path what the value is called in the operation: `input`, or the argument's own name; empty: nothing
 * @throws GraphQLError BAD_USER_INPUT
 */
export function readInput<S extends z.ZodType>(schema: S, value: unknown, path = 'input'): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const at = [...(path === '' ? [] : [path]), ...issue.path, ...unknown].join('.')
  throw badInput(at, unknown.length > 0 ? 'is not known' : issue.message)
}

/** A text that can be stored and shown on one line. */
export function lineOfText(longest: number) {
  return z
    .string('must be a text')
    .trim()
    .min(1, 'must not be empty')
    .max(longest, `must have at most ${longest} characters`)
    .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]*$/u, 'must not contain control or invisible characters')
}

/** What a thing is called. */
export const nameText = lineOfText(LONGEST_NAME)

/** An id in its one spelling. */
export const idText = z
  .string()
  .refine(isId, 'is not an id')
  .transform((id) => id.toLowerCase())

/** What is looked for. */
export const searchText = z
  .string()
  .max(LONGEST_SEARCH, `must have at most ${LONGEST_SEARCH} characters`)
  .refine((text) => !text.includes('\0'), 'must not contain NUL')

/** A JSON object that the database can hold: `jsonb` takes neither NUL nor half a surrogate pair. */
export const storableObject = z
  .unknown()
  // Before anything that goes into it by recursion.
  .refine(isShallow, { error: `must have at most ${MOST_JSON_LEVELS} levels`, abort: true })
  .refine((value) => Buffer.byteLength(JSON.stringify(value) ?? '') <= MOST_JSON_BYTES, {
    error: `must have at most ${MOST_JSON_BYTES} bytes`,
    abort: true,
  })
  // JavaScript would take it for the object's prototype, and lose it.
  .refine((value) => !/(?<!\\)"__proto__":/.test(JSON.stringify(value) ?? ''), {
    error: 'must not have __proto__ as a name',
    abort: true,
  })
  .pipe(z.record(z.string(), z.json(), 'must be a JSON object'))
  .refine((value) => isStorable(JSON.stringify(value)), 'must not contain NUL or half a surrogate pair')

/** A JSON object of a size to tell every proxy, or to keep with every record. */
export const smallObject = storableObject.refine(
  (value) => Buffer.byteLength(JSON.stringify(value)) <= MOST_SMALL_BYTES,
  { error: `must have at most ${MOST_SMALL_BYTES} bytes`, abort: true },
)

/** A moment still to come. */
export const futureDate = z
  .date('must be a date')
  .refine((date) => date.getTime() > Date.now(), 'must be in the future')

export const MOST_OF_A_PAGE = 500
/** How many of a connection's nodes one may ask for. */
export const pageSize = wholeNumber(1, MOST_OF_A_PAGE)

/** Whether it goes no deeper than {@link MOST_JSON_LEVELS}: level by level, since recursion would run out of stack. */
function isShallow(value: unknown): boolean {
  let level = [value]
  for (let depth = 0; depth <= MOST_JSON_LEVELS; depth++) {
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
    if (level.length === 0) return true
  }
  return false
}
