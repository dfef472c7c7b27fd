/** What keeps a proxy from sending a request to a route, told from its report: packages/proxy's LiveView, seen from here. */
import {
  needsCredential,
  type Exclusion,
  type RouteFigures,
  type SnapshotCredential,
  type SnapshotProvider,
} from '@millrace/shared'

import type { ProxyHealth } from '../health/fleet.ts'
import type { ExplainedRoute } from './configuration.ts'
import type { ExplainedRequest } from './explained-request.ts'

/** @returns null if nothing does, apart from the route's switch and its condition */
export function exclusionIn(
  proxy: ProxyHealth,
  route: ExplainedRoute,
  { facts, ownKey }: ExplainedRequest,
): Exclusion | null {
  const { provider } = route
  if (ownKey === null) {
    const keys = keysFor(provider, facts.projectId, proxy)
    if (keys.length === 0 && needsCredential(provider)) return 'NO_CREDENTIAL'
    if (keys.length > 0 && keys.every(({ id }) => isCooling(proxy.credentials.get(id)))) return 'COOLING_DOWN'
  } else if (ownKey.provider !== null && ownKey.provider !== provider.name) {
    return 'NO_CREDENTIAL'
  }
  if (isCooling(figuresOf(proxy, route))) return 'COOLING_DOWN'
  if (isShut(provider, proxy)) return 'BREAKER_OPEN'
  return isFull(provider, proxy) ? 'AT_CONCURRENCY_LIMIT' : null
}

/** What a proxy goes by in its choice of a route. */
export function figuresOf({ routes, direct }: ProxyHealth, { id, provider }: ExplainedRoute): RouteFigures | undefined {
  return id === null ? direct.get(provider.id) : routes.get(id)
}

export function isFull({ id, maxConcurrency }: SnapshotProvider, { providers }: ProxyHealth): boolean {
  return maxConcurrency !== null && (providers.get(id)?.inFlight ?? 0) >= maxConcurrency
}

/** Those that the proxy can use: of the project's own, or where it was given none of the shared ones. */
function keysFor(
  { credentials }: SnapshotProvider,
  projectId: string | null,
  proxy: ProxyHealth,
): readonly SnapshotCredential[] {
  const own = projectId === null ? [] : credentials.filter((one) => one.projectId === projectId)
  const given = own.length > 0 ? own : credentials.filter((one) => one.projectId === null)
  return given.filter(({ id }) => !proxy.credentials.get(id)?.unusable)
}

/** A proxy says until when as long as it is so. Its clock, which need not be this one's, is not asked. */
function isCooling(reported: { readonly coolingUntil: string | null } | undefined): boolean {
  return reported !== undefined && reported.coolingUntil !== null
}

/** What an operator has set stands over what the proxy says, and may have not heard of yet. */
function isShut({ id, forcedBreaker }: SnapshotProvider, { providers }: ProxyHealth): boolean {
  if (forcedBreaker !== null) return forcedBreaker === 'FORCED_OPEN'
  return providers.get(id)?.state === 'OPEN'
}
