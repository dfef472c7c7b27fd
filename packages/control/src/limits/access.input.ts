/** What came with an operation of access. */
import { accessPolicy, DEFAULT_ACCESS, type Access } from '@millrace/shared'
import type * as z from 'zod'

import { badInput } from '../graphql/errors.ts'
import { readInput, storableObject } from '../graphql/input.ts'
import { merged, type JsonObject } from '../graphql/merge.ts'
import type { policyPatch } from '../graphql/policy.ts'
import { whole, type Description } from '../revisions/difference.ts'

/** Of all that is set of one access: every proxy keeps it in memory. */
const MOST_BYTES = 262_144
const LONGEST_PARAM = 200
/** RFC 6454, section 6.2, as browsers write it: in lower case, without a path; `*` stands for any characters. */
const ORIGIN = /^(\*|null|[a-z*][a-z0-9+.*-]*:\/\/[a-z0-9*._-]+(:[0-9*]{1,5})?)$/

const policy = accessPolicy.superRefine(({ origins, endpoints }, context) => {
  const faults = (field: string, list: readonly string[] | null, good: RegExp, message: string): void => {
    for (const [i, one] of (list ?? []).entries())
      if (!good.test(one)) context.addIssue({ code: 'custom', path: [field, i], message })
  }
  faults('origins', origins, ORIGIN, 'must be an origin in lower case: https://app.example.com, https://*.example.com')
  faults('endpoints', endpoints, /^[/*]/, 'must begin with / or *')
})

const params = storableObject
  .refine(
    (object) => Object.keys(object).every((name) => name.length >= 1 && name.length <= LONGEST_PARAM),
    `must have names of 1 to ${LONGEST_PARAM} characters`,
  )
  .nullish()

/**
 * Access after an update: only what was set.
 * @throws GraphQLError BAD_USER_INPUT naming the field, and in a list the place
 */
export function mergedAccess(stored: Partial<Access>, patch: z.output<typeof policyPatch>): Partial<Access> {
  if (patch === undefined) return stored
  readInput(params, patch?.['params'], 'input.access.params')
  const set = merged(stored as JsonObject, patch)
  if (set['params'] && Object.keys(set['params']).length === 0) delete set['params']
  const access = readInput(policy, { ...DEFAULT_ACCESS, ...set }, 'input.access')
  const kept = Object.fromEntries(Object.entries(access).filter(([field]) => Object.hasOwn(set, field)))
  if (Buffer.byteLength(JSON.stringify(kept)) > MOST_BYTES)
    throw badInput('input.access', `must have at most ${MOST_BYTES} bytes`)
  return kept
}

/** As it stands in descriptions of changes. A parameter's name may have dots: they are told all at once. */
export function describeAccess(access: Partial<Access>): Description {
  return access.params ? { ...access, params: whole(access.params) } : access
}
