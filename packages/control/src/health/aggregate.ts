/** Puts what several proxies say of a provider together, as if they were one. */
import { quantile, type BreakerState, type ProviderHealthReport, type SnapshotProvider } from '@millrace/shared'

import type { ProviderHealthType } from './health.type.ts'

/** As large as GraphQL's Int can be. */
const LARGEST = 2_147_483_647
/** Two latencies of which one is less than so many times the other are the same: a sketch's buckets are 10 % wide. */
const JITTER = 1.2

/** @param forced what an operator has set */
export function aggregate(
  reports: readonly ProviderHealthReport[],
  forced: SnapshotProvider['forcedBreaker'],
): ProviderHealthType {
  const windowRequests = sum(reports.map((report) => report.windowRequests))
  const windowErrors = sum(reports.map((report) => report.windowErrors))
  const shut = reports.filter(({ state }) => state !== 'CLOSED')
  const last = newestError(reports)
  const latency = reports.flatMap((report) => report.latency)
  return {
    state: forced ?? worst(reports),
    windowRequests,
    windowErrors,
    errorRate: windowRequests === 0 ? 0 : windowErrors / windowRequests,
    inFlight: sum(reports.map(({ inFlight }) => inFlight)),
    latencyP50Ms: quantile(latency, 0.5),
    latencyP95Ms: quantile(latency, 0.95),
    timeToFirstTokenP50Ms: quantile(
      reports.flatMap((report) => report.timeToFirstToken),
      0.5,
    ),
    openedAt: momentsOf(shut.map(({ openedAt }) => openedAt)).at(0) ?? null,
    retryAt: momentsOf(shut.map(({ retryAt }) => retryAt)).at(-1) ?? null,
    lastError: last?.lastError ?? null,
    lastErrorAt: last?.lastErrorAt == null ? null : new Date(last.lastErrorAt),
  }
}

/** Whether they differ by more than the jitter of latencies. */
export function differs(a: ProviderHealthType, b: ProviderHealthType): boolean {
  return (
    a.state !== b.state ||
    a.windowRequests !== b.windowRequests ||
    a.windowErrors !== b.windowErrors ||
    a.inFlight !== b.inFlight ||
    a.openedAt?.getTime() !== b.openedAt?.getTime() ||
    a.retryAt?.getTime() !== b.retryAt?.getTime() ||
    a.lastError !== b.lastError ||
    a.lastErrorAt?.getTime() !== b.lastErrorAt?.getTime() ||
    isFarOff(a.latencyP50Ms, b.latencyP50Ms) ||
    isFarOff(a.latencyP95Ms, b.latencyP95Ms) ||
    isFarOff(a.timeToFirstTokenP50Ms, b.timeToFirstTokenP50Ms)
  )
}

/** A breaker that a proxy still holds to be forced, and that no operator forces any more, begins anew. */
function worst(reports: readonly ProviderHealthReport[]): BreakerState {
  if (reports.some(({ state }) => state === 'OPEN')) return 'OPEN'
  return reports.some(({ state }) => state === 'HALF_OPEN') ? 'HALF_OPEN' : 'CLOSED'
}

function newestError(reports: readonly ProviderHealthReport[]): ProviderHealthReport | undefined {
  let newest: ProviderHealthReport | undefined
  let at = -Infinity
  for (const report of reports) {
    const time = report.lastErrorAt === null ? -Infinity : Date.parse(report.lastErrorAt)
    if (time <= at) continue
    newest = report
    at = time
  }
  return newest
}

/** In their order. */
function momentsOf(texts: readonly (string | null)[]): Date[] {
  const given = texts.filter((text) => text !== null)
  return given.map((text) => new Date(text)).sort((a, b) => a.getTime() - b.getTime())
}

function sum(counts: readonly number[]): number {
  return Math.min(
    LARGEST,
    counts.reduce((total, count) => total + count, 0),
  )
}

function isFarOff(a: number | null, b: number | null): boolean {
  if (a === null || b === null) return a !== b
  return Math.max(a, b) > JITTER * Math.min(a, b)
}
