/** What a provider may be made of. */
import {
  breakerPolicy,
  DEFAULT_BREAKER,
  flag,
  MAX_TIMEOUT_MS,
  oneOf,
  PROVIDER_KINDS,
  PROVIDER_SETTINGS,
  wholeNumber,
  type BreakerPolicy,
  type ProviderKind,
  type Timeouts,
} from '@millrace/shared'
import * as z from 'zod'

import { badInput } from '../graphql/errors.ts'
import { nameText, readInput, storableObject } from '../graphql/input.ts'
import { merged, type JsonObject } from '../graphql/merge.ts'
import { mergedPolicy, policyPatch } from '../graphql/policy.ts'

const MOST_KEYS = 100
const MOST_CONCURRENCY = 1_000_000

const milliseconds = wholeNumber(1, MAX_TIMEOUT_MS).nullish()
/** Timeouts as an operation may give them. */
export const timeoutsPatch = z
  .object({ connect: milliseconds, firstToken: milliseconds, idle: milliseconds, total: milliseconds })
  .nullish()
const baseUrl = z.string().trim().min(1, 'must not be empty').max(2_000, 'must have at most 2000 characters').nullish()
const maxConcurrency = wholeNumber(1, MOST_CONCURRENCY).nullish()

/** What holds unless it is set, and again once null was given for it. */
export const PROVIDER_DEFAULTS = { enabled: true, direct: false } as const

export const createProviderInput = z.object({
  name: nameText,
  kind: oneOf(PROVIDER_KINDS),
  baseUrl,
  enabled: flag.nullish(),
  apiKeys: z.array(z.string()).max(MOST_KEYS, `must be at most ${MOST_KEYS}`).nullish(),
  direct: flag.nullish(),
  maxConcurrency,
  timeouts: timeoutsPatch,
  breaker: policyPatch,
  access: policyPatch,
  settings: storableObject.nullish(),
})

export const updateProviderInput = z.object({
  name: nameText.optional(),
  baseUrl,
  enabled: flag.nullish(),
  direct: flag.nullish(),
  maxConcurrency,
  timeouts: timeoutsPatch,
  breaker: policyPatch,
  access: policyPatch,
  settings: storableObject.nullish(),
})

/** What an operator can set a breaker to. The other states are the breaker's own. */
export const settableState = oneOf(['FORCED_OPEN', 'FORCED_CLOSED', 'CLOSED'])

/** Timeouts after an update; what is not in them is the defaults'. */
export function mergedTimeouts(stored: Partial<Timeouts>, patch: z.output<typeof timeoutsPatch>): Partial<Timeouts> {
  return merged(stored as JsonObject, patch)
}

/**
 * The breaker after an update; what is not in it is the defaults'.
 * @throws GraphQLError BAD_USER_INPUT naming the field
 */
export function mergedBreaker(
  stored: Partial<BreakerPolicy>,
  patch: z.output<typeof policyPatch>,
): Partial<BreakerPolicy> {
  const set = mergedPolicy(breakerPolicy, DEFAULT_BREAKER, stored, patch, 'input.breaker')
  if (patch == null) return set
  const { openSeconds, maxOpenSeconds } = { ...DEFAULT_BREAKER, ...set }
  if (openSeconds <= maxOpenSeconds) return set
  if (patch['openSeconds'] == null)
    throw badInput('input.breaker.maxOpenSeconds', `must not be below openSeconds, which is ${openSeconds}`)
  throw badInput('input.breaker.openSeconds', `must not be above maxOpenSeconds, which is ${maxOpenSeconds}`)
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
