/** What came with an operation of limits and budgets. */
import {
  budgetPolicy,
  limitsPolicy,
  maxRequests as maxRequestsPolicy,
  NO_LIMITS,
  type BudgetPolicy,
  type Limits,
} from '@millrace/shared'
import type * as z from 'zod'

import { readInput } from '../graphql/input.ts'
import { merged } from '../graphql/merge.ts'
import { mergedPolicy, policyPatch } from '../graphql/policy.ts'

export const maxRequests = maxRequestsPolicy.nullish()

/** What says of a token or a project what it is held to. */
export const limitedInput = { limits: policyPatch, budget: policyPatch }
type Patch = z.output<typeof policyPatch>

/** Nothing set. */
export const UNLIMITED: Limited = { limits: {}, budget: null }

export interface Limited {
  /** Only what was set. */
  readonly limits: Partial<Limits>
  readonly budget: BudgetPolicy | null
}

/**
 * Limits and budget after an update.
 * @throws GraphQLError BAD_USER_INPUT naming the field
 */
export function mergedLimited(stored: Limited, patch: { readonly limits?: Patch; readonly budget?: Patch }): Limited {
  return {
    limits: mergedPolicy(limitsPolicy, NO_LIMITS, stored.limits, patch.limits, 'input.limits'),
    budget: mergedBudget(stored.budget, patch.budget),
  }
}

function mergedBudget(stored: BudgetPolicy | null, patch: Patch): BudgetPolicy | null {
  if (patch == null) return patch === null ? null : stored
  return readInput(budgetPolicy, merged({ ...stored }, patch), 'input.budget')
}
