import type { HealthReport, Snapshot, SnapshotProvider } from '@millrace/shared'

import { CredentialHealth } from './credential-health.ts'
import { ProviderHealth } from './provider-health.ts'
import { RouteHealth } from './route-health.ts'
import { Turns } from './turns.ts'

/** Of each list, what one report may hold. */
const MOST_REPORTED = 10_000

/**
 * What this proxy has learnt of providers, upstream keys and routes, and where it stands with aliases, by their ids. Compiled snapshots point into it; a new
 * one finds what the old one knew.
 */
export class Health {
  private readonly providers = new Map<string, ProviderHealth>()
  private readonly credentials = new Map<string, CredentialHealth>()
  private readonly routes = new Map<string, RouteHealth>()
  private readonly turns = new Map<string, Turns>()
  private readonly onBreakerChange: (provider: ProviderHealth) => void
  private readonly onFree: (provider: ProviderHealth) => void

  /**
   * @param onBreakerChange called when a breaker has opened or closed
   * @param onFree called when a provider may take one request more
   */
  constructor(onBreakerChange: (provider: ProviderHealth) => void, onFree: (provider: ProviderHealth) => void) {
    this.onBreakerChange = onBreakerChange
    this.onFree = onFree
  }

  /** For a provider, made if it is new. Its settings do not take effect before {@link apply}. */
  providerOf(settings: SnapshotProvider): ProviderHealth {
    let health = this.providers.get(settings.id)
    if (!health) {
      health = new ProviderHealth(settings, this.onBreakerChange, this.onFree)
      this.providers.set(settings.id, health)
    }
    return health
  }

  credentialOf(id: string): CredentialHealth {
    return getOrMake(this.credentials, id, CredentialHealth)
  }

  routeOf(id: string): RouteHealth {
    return getOrMake(this.routes, id, RouteHealth)
  }

  turnsOf(aliasId: string): Turns {
    return getOrMake(this.turns, aliasId, Turns)
  }

  find(providerId: string): ProviderHealth | undefined {
    return this.providers.get(providerId)
  }

  /** A snapshot is served by from now on: its settings hold, and what it does not name is forgotten. */
  apply({ providers, aliases }: Snapshot): void {
    for (const provider of providers) this.providers.get(provider.id)?.configure(provider)
    for (const health of this.providers.values()) if (!health.full) this.onFree(health)
    retain(this.providers, new Set(providers.map(({ id }) => id)))
    retain(this.credentials, new Set(providers.flatMap(({ credentials }) => credentials.map(({ id }) => id))))
    retain(this.turns, new Set(aliases.map(({ id }) => id)))
    retain(this.routes, new Set(aliases.flatMap(({ routes }) => routes.map(({ id }) => id))))
  }

  report(): HealthReport {
    const now = performance.now()
    return {
      providers: gather(this.providers, (provider) => provider.report(now)),
      routes: gather(this.routes, (route, id) => route.report(id, now)),
      credentials: gather(this.credentials, (credential, id) => credential.report(id, now)),
    }
  }
}

function getOrMake<T>(map: Map<string, T>, id: string, Kind: new () => T): T {
  let value = map.get(id)
  if (value === undefined) {
    value = new Kind()
    map.set(id, value)
  }
  return value
}

function retain(map: Map<string, unknown>, ids: ReadonlySet<string>): void {
  for (const id of map.keys()) if (!ids.has(id)) map.delete(id)
}

function gather<T, R>(map: ReadonlyMap<string, T>, reportOf: (value: T, id: string) => R | null): R[] {
  const reports: R[] = []
  for (const [id, value] of map) {
    const report = reportOf(value, id)
    if (report !== null && reports.length < MOST_REPORTED) reports.push(report)
  }
  return reports
}
