/** An alias's policies, as they are given and as they are stored. */
import {
  cachePolicy,
  DEFAULT_CACHE,
  DEFAULT_HEDGE,
  DEFAULT_RETRY,
  DEFAULT_STICKY,
  hedgePolicy,
  retryPolicy,
  stickyPolicy,
  type HedgePolicy,
} from '@millrace/shared'
import type * as z from 'zod'

import { mergedPolicy, policyPatch } from '../graphql/policy.ts'
import { mergedTimeouts, timeoutsPatch } from '../providers/provider.input.ts'
import type { Alias } from './alias.entity.ts'

type Policies = Pick<Alias, 'sticky' | 'retry' | 'hedge' | 'cache' | 'timeouts'>
type Patch = z.output<typeof policyPatch>

export const policyPatches = {
  sticky: policyPatch,
  retry: policyPatch,
  hedge: policyPatch,
  cache: policyPatch,
  timeouts: timeoutsPatch,
}

export const NO_POLICIES: Policies = { sticky: {}, retry: {}, hedge: null, cache: {}, timeouts: {} }

/** Policies after an update. @throws GraphQLError BAD_USER_INPUT naming the field that can't be so */
export function mergedPolicies(
  stored: Policies,
  { sticky, retry, hedge, cache, timeouts }: z.output<z.ZodObject<typeof policyPatches>>,
): Policies {
  return {
    sticky: mergedPolicy(stickyPolicy, DEFAULT_STICKY, stored.sticky, sticky, 'input.sticky'),
    retry: mergedPolicy(retryPolicy, DEFAULT_RETRY, stored.retry, retry, 'input.retry'),
    hedge: mergedHedge(stored.hedge, hedge),
    cache: mergedPolicy(cachePolicy, DEFAULT_CACHE, stored.cache, cache, 'input.cache'),
    timeouts: mergedTimeouts(stored.timeouts, timeouts),
  }
}

/** Null switches hedging off, anything else on. */
function mergedHedge(stored: Partial<HedgePolicy> | null, patch: Patch): Partial<HedgePolicy> | null {
  if (patch === undefined) return stored
  return patch && mergedPolicy(hedgePolicy, DEFAULT_HEDGE, stored ?? {}, patch, 'input.hedge')
}
