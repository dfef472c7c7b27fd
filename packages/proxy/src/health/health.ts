import {
  MOST_REPORTED,
  type CredentialHealthReport,
  type HealthReport,
  type Snapshot,
  type SnapshotProvider,
} from '@millrace/shared'

import { CredentialHealth } from './credential-health.ts'
import { HedgeBudget } from './hedge-budget.ts'
import type { PlaceSource } from './places.ts'
import { ProviderHealth } from './provider-health.ts'
import { RouteHealth } from './route-health.ts'
import { Turns } from './turns.ts'

/**
 * What this proxy has learnt of providers, upstream keys and routes, and where it stands with aliases, by their ids.
 * Compiled snapshots point into it; a new one finds what the old one knew.
 */
export class Health {
  private readonly providers = new Map<string, ProviderHealth>()
  private readonly credentials = new Map<string, CredentialHealth>()
  private readonly routes = new Map<string, RouteHealth>()
  /** Of the ways to providers that are addressed directly, by the provider's id. */
  private readonly direct = new Map<string, RouteHealth>()
  /** Of the ways to providers that paths are passed on by, by the provider's id. */
  private readonly passed = new Map<string, RouteHealth>()
  private readonly turns = new Map<string, Turns>()
  private readonly hedges = new Map<string, HedgeBudget>()
  private unopened: readonly string[] = []
  private readonly onBreakerChange: (provider: ProviderHealth) => void
  private readonly onFree: (provider: ProviderHealth) => void
  private readonly places: PlaceSource | null

  /**
   * @param onBreakerChange called when a breaker has opened or closed
   * @param onFree called when a provider may take one request more
   * @param places null: this process has its providers' places for itself
   */
  constructor(
    onBreakerChange: (provider: ProviderHealth) => void,
    onFree: (provider: ProviderHealth) => void,
    places: PlaceSource | null = null,
  ) {
    this.onBreakerChange = onBreakerChange
    this.onFree = onFree
    this.places = places
  }

  /** For a provider, made if it is new. Its settings do not take effect before {@link apply}. */
  providerOf(settings: SnapshotProvider): ProviderHealth {
    let health = this.providers.get(settings.id)
    if (!health) {
      health = new ProviderHealth(settings, this.onBreakerChange, this.onFree, this.places)
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

  directOf(providerId: string): RouteHealth {
    return getOrMake(this.direct, providerId, RouteHealth)
  }

  /** What a path takes says nothing of how fast a model answers. */
  passedOf(providerId: string): RouteHealth {
    return getOrMake(this.passed, providerId, RouteHealth)
  }

  hedgesOf(aliasId: string): HedgeBudget {
    return getOrMake(this.hedges, aliasId, HedgeBudget)
  }

  turnsOf(aliasId: string): Turns {
    return getOrMake(this.turns, aliasId, Turns)
  }

  all(): Iterable<ProviderHealth> {
    return this.providers.values()
  }

  find(providerId: string): ProviderHealth | undefined {
    return this.providers.get(providerId)
  }

  /**
   * These are served by from now on: their settings hold, and what is not named is forgotten.
   * @param unopened the ids of their upstream keys that can't be used here
   */
  apply({ providers, aliases }: Pick<Snapshot, 'providers' | 'aliases'>, unopened: readonly string[]): void {
    this.unopened = unopened
    for (const provider of providers) this.providers.get(provider.id)?.configure(provider)
    for (const health of this.providers.values()) if (!health.full) this.onFree(health)
    const providerIds = new Set(providers.map(({ id }) => id))
    for (const [id, health] of this.providers) if (!providerIds.has(id)) health.forget()
    retain(this.providers, providerIds)
    retain(this.passed, providerIds)
    retain(this.direct, new Set(providers.flatMap(({ id, direct }) => (direct ? id : []))))
    retain(this.credentials, new Set(providers.flatMap(({ credentials }) => credentials.map(({ id }) => id))))
    const aliasIds = new Set(aliases.map(({ id }) => id))
    retain(this.turns, aliasIds)
    retain(this.hedges, aliasIds)
    retain(this.routes, new Set(aliases.flatMap(({ routes }) => routes.map(({ id }) => id))))
  }

  report(): HealthReport {
    const now = performance.now()
    return {
      providers: gather(this.providers, (provider) => provider.report(now)),
      routes: gather(this.routes, (route, routeId) => identified({ routeId }, route.report(now))),
      direct: gather(this.direct, (route, providerId) => identified({ providerId }, route.report(now))),
      credentials: this.reportCredentials(now),
    }
  }

  private reportCredentials(now: number): CredentialHealthReport[] {
    const unusable = this.unopened.map((credentialId) => ({ credentialId, coolingUntil: null, unusable: true }))
    const cooling = gather(this.credentials, (credential, id) => credential.report(id, now))
    return [...unusable, ...cooling].slice(0, MOST_REPORTED)
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

function identified<I, R>(id: I, report: R | null): (I & R) | null {
  return report && { ...id, ...report }
}

function gather<T, R>(map: ReadonlyMap<string, T>, reportOf: (value: T, id: string) => R | null): R[] {
  const reports: R[] = []
  for (const [id, value] of map) {
    const report = reportOf(value, id)
    if (report !== null && reports.length < MOST_REPORTED) reports.push(report)
  }
  return reports
}
