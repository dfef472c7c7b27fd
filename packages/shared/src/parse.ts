import type * as z from 'zod'

/**
 * Reads what another process claims to be something.
 * @param what it is, for the message
 * @param path where the value stands in what came
 * @throws Error naming the first path that is wrong, without its value
 */
export function parseAs<S extends z.ZodType>(
  schema: S,
  value: unknown,
  what: string,
  path: readonly (string | number)[] = [],
): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  throw new Error(`malformed ${what}: ${[...path, ...issue.path].join('.') || 'all of it'}: ${issue.message}`)
}
