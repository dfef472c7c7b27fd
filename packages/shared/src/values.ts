/** Single values that operators give, refused in words that say what would do. */
import * as z from 'zod'

export const flag = z.boolean('must be true or false')

export function wholeNumber(min: number, max: number) {
  const reason = `must be a whole number from ${min} to ${max}`
  return z.int(reason).min(min, reason).max(max, reason)
}

/** Any number, with decimals or without. */
export function numberFrom(min: number, max: number) {
  const reason = `must be a number from ${min} to ${max}`
  return z.number(reason).min(min, reason).max(max, reason)
}

export function oneOf<const Name extends string>(names: readonly Name[]) {
  return z.enum(names, `must be one of ${names.join(', ')}`)
}

const LONGEST_GLOB = 200
/** `*` in one glob; more is nobody's intention. */
const MOST_STARS = 8

/** A text in which `*` stands for any number of characters. */
export const globText = z
  .string('must be a text')
  .min(1, 'must not be empty')
  .max(LONGEST_GLOB, `must have at most ${LONGEST_GLOB} characters`)
  .regex(
    /^[^\p{Cc}\p{Cf}\p{Cs}()[\]{}^$|\\?]*$/u,
    'must be a glob: only * is special, and ( ) [ ] { } ^ $ | \\ ? are not allowed',
  )
  .refine((text) => text.split('*').length - 1 <= MOST_STARS, `must have at most ${MOST_STARS} *`)

export const methodName = z.string().regex(/^[A-Z]{1,20}$/, 'must be an HTTP method in capitals')
