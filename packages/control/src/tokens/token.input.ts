/** What a token may be made of. */
import { wholeNumber } from '@millrace/shared'
import * as z from 'zod'

import { futureDate, nameText, readInput, smallObject } from '../graphql/input.ts'
import { merged, type JsonObject } from '../graphql/merge.ts'
import { policyPatch } from '../graphql/policy.ts'
import { limitedInput, maxRequests } from '../limits/limits.input.ts'

const MONTH_SECONDS = 30 * 86_400

const settable = {
  expiresAt: futureDate.nullish(),
  maxRequests,
  ...limitedInput,
  access: policyPatch,
  metadata: smallObject.nullish(),
}
export const createTokenInput = z.object({ name: nameText, project: z.string(), ...settable })
export const updateTokenInput = z.object({ name: nameText.optional(), ...settable })

/** How long a secret that was replaced may work on. */
export const graceSeconds = wholeNumber(0, MONTH_SECONDS)

/** @throws GraphQLError BAD_USER_INPUT if there would be too much of it */
export function mergedMetadata(stored: JsonObject | null, patch: JsonObject | null | undefined): JsonObject | null {
  if (patch == null) return patch === null ? null : stored
  return readInput(smallObject, merged(stored ?? {}, patch), 'input.metadata')
}
