/** What a provider may be made of. */
import { MAX_TIMEOUT_MS, PROVIDER_KINDS, PROVIDER_SETTINGS, type ProviderKind, type Timeouts } from '@millrace/shared'
import * as z from 'zod'

import { flag, nameText, readInput, storableObject, wholeNumber } from '../graphql/input.ts'
import { merged, type JsonObject } from '../graphql/merge.ts'
import { policyPatch } from '../graphql/policy.ts'

const MOST_KEYS = 100
const MOST_CONCURRENCY = 1_000_000

const milliseconds = wholeNumber(1, MAX_TIMEOUT_MS).nullish()
/** Timeouts as an operation may give them. */
export const timeoutsPatch = z
  .object({ connect: milliseconds, firstToken: milliseconds, idle: milliseconds, total: milliseconds })
  .nullish()
const baseUrl = z.string().trim().min(1, 'must not be empty').max(2_000, 'must have at most 2000 characters').nullish()
const maxConcurrency = wholeNumber(1, MOST_CONCURRENCY).nullish()

export const createProviderInput = z.object({
  name: nameText,
  kind: z.enum(PROVIDER_KINDS),
  baseUrl,
  enabled: flag.nullish(),
  apiKeys: z.array(z.string()).max(MOST_KEYS, `must be at most ${MOST_KEYS}`).nullish(),
  direct: flag.nullish(),
  maxConcurrency,
  timeouts: timeoutsPatch,
  breaker: policyPatch,
  settings: storableObject.nullish(),
})

export const updateProviderInput = z.object({
  name: nameText.optional(),
  baseUrl,
  enabled: flag.optional(),
  direct: flag.optional(),
  maxConcurrency,
  timeouts: timeoutsPatch,
  breaker: policyPatch,
  settings: storableObject.nullish(),
})

/** What an operator can set a breaker to. The other states are the breaker's own. */
export const settableState = z.enum(
  ['FORCED_OPEN', 'FORCED_CLOSED', 'CLOSED'],
  'must be FORCED_OPEN, FORCED_CLOSED or CLOSED',
)

/** Timeouts after an update; what is not in them is the defaults'. */
export function mergedTimeouts(stored: Partial<Timeouts>, patch: z.output<typeof timeoutsPatch>): Partial<Timeouts> {
  return merged(stored as JsonObject, patch)
}

/**
 * Settings after an update, if the kind takes them.
 * @throws GraphQLError BAD_USER_INPUT naming the setting
 */
export function mergedSettings(
  kind: ProviderKind,
  stored: JsonObject,
  patch: JsonObject | null | undefined,
): JsonObject {
  const settings = merged(stored, patch)
  readInput(PROVIDER_SETTINGS[kind], settings, 'input.settings')
  return settings
}
