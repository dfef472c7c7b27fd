import { NO_LIMITS, toPicodollars, type SnapshotProject, type SnapshotToken } from '@millrace/shared'

import type { LimitedSubject } from './store.ts'

/** What a snapshot says of limits: a token, or a project, which has no quota. */
type Limitable = Pick<SnapshotProject, 'id' | 'limits' | 'budget' | 'used'> &
  Partial<Pick<SnapshotToken, 'maxRequests'>>

/** A token or a project as limits see it. @returns null if nothing limits it */
export function limitedSubject(kind: LimitedSubject['kind'], limitable: Limitable): LimitedSubject | null {
  const { id, limits, budget, used, maxRequests = null } = limitable
  const { requestsPerMinute, tokensPerMinute, maxConcurrent } = limits ?? NO_LIMITS
  if ((requestsPerMinute ?? tokensPerMinute ?? maxConcurrent ?? maxRequests ?? budget) === null) return null
  return {
    kind,
    id,
    requestsPerMinute,
    tokensPerMinute,
    maxConcurrent,
    maxRequests,
    budget: budget && { limit: toPicodollars(budget.limitUsd), period: budget.period },
    used,
  }
}
