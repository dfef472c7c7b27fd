/** Proxies that are only heard of: what they would report, said by the test. */
import {
  newId,
  NO_CACHE_REPORT,
  REPORT_PROXY_MUTATION,
  type CacheReport,
  type CredentialHealthReport,
  type HealthReport,
  type ProviderHealthReport,
  type RouteHealthReport,
} from '@millrace/shared'

import type { ControlProcess } from '../helpers/control.ts'

/** A provider that does well. */
export function providerReport(providerId: string, more: Partial<ProviderHealthReport> = {}): ProviderHealthReport {
  return {
    providerId,
    state: 'CLOSED',
    windowRequests: 0,
    windowErrors: 0,
    inFlight: 0,
    latency: [],
    timeToFirstToken: [],
    openedAt: null,
    retryAt: null,
    lastError: null,
    lastErrorAt: null,
    ...more,
  }
}

/** A route of which nothing is known but that there is one. */
export function routeReport(routeId: string, more: Partial<RouteHealthReport> = {}): RouteHealthReport {
  return { routeId, coolingUntil: null, streamLatencyMs: null, answerLatencyMs: null, inFlight: 0, ...more }
}

/** An upstream key that the proxy uses. */
export function credentialReport(
  credentialId: string,
  more: Partial<CredentialHealthReport> = {},
): CredentialHealthReport {
  return { credentialId, coolingUntil: null, unusable: false, ...more }
}

const NOTHING: HealthReport = { providers: [], routes: [], direct: [], credentials: [] }

/** One that goes on reporting, as a proxy does, until it is gone: it stays online however slow the machine is. */
export class ReportedProxy implements AsyncDisposable {
  readonly id = newId()
  readonly #control: ControlProcess
  readonly #key: string
  readonly #timer: NodeJS.Timeout
  #health: HealthReport = NOTHING
  #cache = NO_CACHE_REPORT
  /** One after the other: else an older one might come last. */
  #sent: Promise<unknown> = Promise.resolve()
  /** Of a report that nobody has waited for. */
  #fault: Error | null = null

  /** @param key as that control knows it, if it was not told when it started */
  constructor(control: ControlProcess, key = control.proxyKey) {
    this.#control = control
    this.#key = key
    this.#timer = setInterval(() => void this.#send().catch((error: Error) => (this.#fault ??= error)), 2_000)
  }

  async report(health: Partial<HealthReport>): Promise<void> {
    this.#health = { ...NOTHING, ...health }
    await this.#send()
  }

  async reportCache(cache: Partial<CacheReport>): Promise<void> {
    this.#cache = { ...NO_CACHE_REPORT, ...cache }
    await this.#send()
  }

  /** Says no more; what it said holds until it counts as offline. */
  fallSilent(): void {
    clearInterval(this.#timer)
  }

  /** Takes back what it said. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.fallSilent()
    this.#cache = NO_CACHE_REPORT
    await this.report({})
    if (this.#fault !== null) throw this.#fault
  }

  #send(): Promise<void> {
    const sent = this.#sent.then(() => this.#tell())
    this.#sent = sent.catch(() => undefined)
    return sent
  }

  async #tell(): Promise<void> {
    const report = {
      id: this.id,
      version: '1.2.3',
      startedAt: '2026-01-01T00:00:00.000Z',
      configRevision: 1,
      inFlight: 0,
      requestsPerSecond: 0,
      recordsQueued: 0,
      recordsDropped: 0,
      health: this.#health,
      cache: this.#cache,
    }
    await this.#control.gql(REPORT_PROXY_MUTATION, { report }, this.#key)
  }
}
