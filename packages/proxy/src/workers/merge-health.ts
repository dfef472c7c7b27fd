import {
  MOST_REPORTED,
  type BreakerState,
  type CredentialHealthReport,
  type HealthReport,
  type ProviderHealthReport,
  type RouteFigures,
} from '@millrace/shared'

/** The worse first. */
const STATES: readonly BreakerState[] = ['FORCED_OPEN', 'OPEN', 'HALF_OPEN', 'FORCED_CLOSED', 'CLOSED']

/** What several processes have learnt, as if they were one: counts are added, and of states the worst holds. */
export function mergeHealth(reports: readonly HealthReport[]): HealthReport {
  return {
    providers: merged(
      reports.flatMap(({ providers }) => providers),
      providerIdOf,
      mergeProviders,
    ),
    routes: merged(
      reports.flatMap(({ routes }) => routes),
      ({ routeId }) => routeId,
      mergeRoutes,
    ),
    direct: merged(
      reports.flatMap(({ direct }) => direct),
      providerIdOf,
      mergeRoutes,
    ),
    credentials: merged(
      reports.flatMap(({ credentials }) => credentials),
      ({ credentialId }) => credentialId,
      mergeCredentials,
    ),
  }
}

function merged<R>(reports: readonly R[], idOf: (report: R) => string, merge: (a: R, b: R) => R): R[] {
  const byId = new Map<string, R>()
  for (const report of reports) {
    const id = idOf(report)
    const before = byId.get(id)
    byId.set(id, before === undefined ? report : merge(before, report))
  }
  return [...byId.values()].slice(0, MOST_REPORTED)
}

function providerIdOf({ providerId }: { readonly providerId: string }): string {
  return providerId
}

function mergeProviders(a: ProviderHealthReport, b: ProviderHealthReport): ProviderHealthReport {
  const last = (a.lastErrorAt ?? '') >= (b.lastErrorAt ?? '') ? a : b
  return {
    providerId: a.providerId,
    state: STATES.indexOf(a.state) <= STATES.indexOf(b.state) ? a.state : b.state,
    windowRequests: a.windowRequests + b.windowRequests,
    windowErrors: a.windowErrors + b.windowErrors,
    inFlight: a.inFlight + b.inFlight,
    latency: mergeSketches(a.latency, b.latency),
    timeToFirstToken: mergeSketches(a.timeToFirstToken, b.timeToFirstToken),
    openedAt: earlier(a.openedAt, b.openedAt),
    retryAt: later(a.retryAt, b.retryAt),
    lastError: last.lastError,
    lastErrorAt: last.lastErrorAt,
  }
}

function mergeRoutes<R extends RouteFigures>(a: R, b: R): R {
  return {
    ...a,
    coolingUntil: later(a.coolingUntil, b.coolingUntil),
    streamLatencyMs: mean(a.streamLatencyMs, b.streamLatencyMs),
    answerLatencyMs: mean(a.answerLatencyMs, b.answerLatencyMs),
    inFlight: a.inFlight + b.inFlight,
  }
}

function mergeCredentials(a: CredentialHealthReport, b: CredentialHealthReport): CredentialHealthReport {
  return {
    credentialId: a.credentialId,
    coolingUntil: later(a.coolingUntil, b.coolingUntil),
    unusable: a.unusable || b.unusable,
  }
}

type Sketch = ProviderHealthReport['latency']

function mergeSketches(a: Sketch, b: Sketch): Sketch {
  const counts = new Map(a)
  for (const [bucket, count] of b) counts.set(bucket, (counts.get(bucket) ?? 0) + count)
  return [...counts].sort(([x], [y]) => x - y)
}

/** RFC 3339 in UTC to the millisecond: their texts are in the order of their times. */
function later(a: string | null, b: string | null): string | null {
  return (a ?? '') >= (b ?? '') ? a : b
}

function earlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b
  return a <= b ? a : b
}

function mean(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : (a + b) / 2
}
