/** How policies are stored: only what was set. The rest is the defaults of the day. */
import * as z from 'zod'

import { readInput } from './input.ts'
import { merged, type JsonObject } from './merge.ts'

/** What of a policy came with an operation; {@link mergedPolicy} says whether the policy takes it. */
export const policyPatch = z.looseObject({}).nullish()

/**
 * What is set of a policy after an update: absent keeps, null goes back to the defaults.
 * @param path what the policy is called in the operation
 * @throws GraphQLError BAD_USER_INPUT naming the field
 */
export function mergedPolicy<P extends object>(
  policy: z.ZodType<P>,
  defaults: P,
  stored: Readonly<Partial<P>>,
  patch: JsonObject | null | undefined,
  path: string,
): Partial<P> {
  if (patch === undefined) return stored
  const set = merged(stored as JsonObject, patch)
  readInput(policy, { ...defaults, ...set }, path)
  return set as Partial<P>
}
