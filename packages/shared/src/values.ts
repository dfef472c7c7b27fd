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
