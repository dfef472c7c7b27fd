import { mergeCacheReports } from '@millrace/shared'

import { mergeHealth } from './merge-health.ts'
import type { WorkerReport } from './protocol.ts'

/** What the workers report, as one proxy's. @param reports one each */
export function mergeReports(reports: readonly WorkerReport[]): WorkerReport {
  const sum = (of: (report: WorkerReport) => number): number => reports.reduce((total, report) => total + of(report), 0)
  return {
    configRevision: reports.length === 0 ? 0 : Math.min(...reports.map(({ configRevision }) => configRevision)),
    inFlight: sum(({ inFlight }) => inFlight),
    requestsPerSecond: sum(({ requestsPerSecond }) => requestsPerSecond),
    recordsQueued: sum(({ recordsQueued }) => recordsQueued),
    recordsDropped: sum(({ recordsDropped }) => recordsDropped),
    health: mergeHealth(reports.map(({ health }) => health)),
    cache: mergeCacheReports(reports.map(({ cache }) => cache)),
  }
}
