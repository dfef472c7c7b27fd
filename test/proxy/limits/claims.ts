/** Claims and their subjects, as a proxy makes them. */
import { newId, toPicodollars, type BudgetPeriod } from '@millrace/shared'

import type { Claim, LimitedSubject, Used } from '../../../packages/proxy/dist/limits/store.js'

export type SubjectOptions = Partial<Omit<LimitedSubject, 'budget' | 'used'>> & {
  /** USD, and its period. */
  readonly budget?: readonly [limitUsd: string, period: BudgetPeriod]
  readonly used?: LimitedSubject['used']
}

/** A token without limits, but for those that are given. */
export function subject({ budget, ...more }: SubjectOptions = {}): LimitedSubject {
  return {
    kind: 'token',
    id: newId(),
    requestsPerMinute: null,
    tokensPerMinute: null,
    maxConcurrent: null,
    maxRequests: null,
    used: null,
    ...more,
    budget: budget === undefined ? null : { limit: toPicodollars(budget[0]), period: budget[1] },
  }
}

export interface ClaimOptions {
  readonly at?: number
  readonly tokens?: number
  /** USD. */
  readonly cost?: string
}

export function claim(
  subjects: LimitedSubject | readonly LimitedSubject[],
  { at = Date.now(), tokens = 0, cost = '0' }: ClaimOptions = {},
): Claim {
  return {
    id: newId(),
    at,
    subjects: [subjects].flat(),
    tokens,
    cost: toPicodollars(cost),
    about: {
      requestId: newId(),
      tokenId: newId(),
      projectId: newId(),
      endpoint: '/v1/chat/completions',
      model: 'some "model" 😀',
      aliasId: null,
      stream: false,
      inputTokens: tokens,
      outputTokens: 0,
      configRevision: 1,
      proxyId: newId(),
    },
  }
}

/** Nothing was sent. */
export const UNUSED: Used = { tokens: 0, cost: 0n, counted: false }

export function used(tokens: number, costUsd = '0'): Used {
  return { tokens, cost: toPicodollars(costUsd), counted: true }
}
