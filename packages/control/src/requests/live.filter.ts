/** Which requests are wanted, asked of one that is being served. */
import type { InFlight } from '@millrace/shared'

import { isIn, type RequestConditions } from './request.filter.ts'

/** What is known of a request only when it has ended: a condition on it does not hold before. */
const KNOWN_AT_END = ['errorClass', 'status', 'cache', 'minLatencyMs', 'minCostUsd'] as const

export function matchesInFlight(filter: RequestConditions, request: InFlight): boolean {
  const { project, token, model, provider, stream, from, to, requestId, search } = filter
  const startedAt = from == null && to == null ? 0 : Date.parse(request.startedAt)
  return (
    (project == null || project === request.projectId) &&
    (token == null || token === request.tokenId) &&
    (model == null || model === request.model) &&
    (provider == null || provider === request.providerId) &&
    (stream == null || stream === request.stream) &&
    (from == null || startedAt >= from.getTime()) &&
    (to == null || startedAt < to.getTime()) &&
    (requestId == null || requestId === request.requestId) &&
    KNOWN_AT_END.every((name) => filter[name] == null) &&
    (!search || contains(request, search.toLowerCase()))
  )
}

function contains({ model, requestId, userKey }: InFlight, search: string): boolean {
  return [model, requestId, userKey].some((text) => text !== null && isIn(text, search))
}
