/** How things stand for one request, put together from what the online proxies report. */
import {
  expectedPrice,
  NEEDS_CREDENTIAL,
  providerModelOf,
  routePrice,
  type DecisionView,
  type Exclusion,
  type PriceList,
  type ProviderKind,
  type RequestFacts,
  type RouteHealthReport,
  type SnapshotCredential,
  type SnapshotProvider,
} from '@millrace/shared'

import { aggregate } from '../health/aggregate.ts'
import type { FleetHealth, ProxyHealth } from '../health/fleet.ts'
import type { ProviderHealthType } from '../health/health.type.ts'
import type { ExplainedRoute } from './configuration.ts'

/** What can be routed. */
const ENDPOINTS: readonly string[] = ['/v1/chat/completions']

/** What a model's name led to. */
export interface RequestedModel {
  readonly model: string
  readonly matched: string | null
}

export class FleetView implements DecisionView<ExplainedRoute> {
  readonly #fleet: FleetHealth
  readonly #facts: RequestFacts
  readonly #requested: RequestedModel
  readonly #prices: PriceList
  readonly #now = Date.now()
  readonly #turn = Math.floor(Math.random() * 1_000_000)

  constructor(fleet: FleetHealth, facts: RequestFacts, requested: RequestedModel, prices: PriceList) {
    this.#fleet = fleet
    this.#facts = facts
    this.#requested = requested
    this.#prices = prices
  }

  exclusionOf(route: ExplainedRoute): Exclusion | null {
    const { provider } = route
    if (!ENDPOINTS.includes(this.#facts.endpoint)) return 'UNSUPPORTED_ENDPOINT'
    if (this.#needsCredential(provider) && this.#credentialsOf(provider).length === 0) return 'NO_CREDENTIAL'
    if (this.#isCoolingDown(route)) return 'COOLING_DOWN'
    if (this.#isShut(this.#healthOf(provider))) return 'BREAKER_OPEN'
    return this.#isFull(provider) ? 'AT_CONCURRENCY_LIMIT' : null
  }

  badnessOf({ provider }: ExplainedRoute): number | null {
    const { state, retryAt } = this.#healthOf(provider)
    return state === 'FORCED_OPEN' || this.#isFull(provider) ? null : (retryAt?.getTime() ?? 0)
  }

  /** The mean of what the proxies go by. */
  latencyOf(route: ExplainedRoute): number | null {
    const known = this.#reportsOf(route)
      .map(({ streamLatencyMs, answerLatencyMs }) => (this.#facts.stream ? streamLatencyMs : answerLatencyMs))
      .filter((latency) => latency !== null)
    return known.length === 0 ? null : known.reduce((sum, latency) => sum + latency, 0) / known.length
  }

  inFlightOf(route: ExplainedRoute): number {
    return this.#reportsOf(route).reduce((sum, { inFlight }) => sum + inFlight, 0)
  }

  costOf(route: ExplainedRoute): number | null {
    const price = routePrice(route.prices, this.#prices.priceOf(route.provider, this.providerModelOf(route)))
    return price && expectedPrice(price, this.#facts.estimatedInputTokens())
  }

  random(): number {
    return Math.random()
  }

  draw(): number {
    return Math.random()
  }

  turn(): number {
    return this.#turn
  }

  /** What the provider would be asked for. */
  providerModelOf({ providerModel }: ExplainedRoute): string {
    return providerModelOf(providerModel, this.#requested.model, this.#requested.matched)
  }

  #needsCredential({ kind, credentials }: SnapshotProvider): boolean {
    return credentials.length > 0 || NEEDS_CREDENTIAL[kind as ProviderKind]
  }

  /** In every proxy that knows it. */
  #isCoolingDown({ id, provider }: ExplainedRoute): boolean {
    const credentials = this.#credentialsOf(provider)
    const known = this.#fleet.proxies
      .map((proxy) => isCoolingIn(proxy, id, credentials, this.#now))
      .filter((isCooling) => isCooling !== null)
    return known.length > 0 && !known.includes(false)
  }

  /** A breaker whose time is over lets a trial through, whether or not its proxy has said so yet. */
  #isShut({ state, retryAt }: ProviderHealthType): boolean {
    if (state === 'FORCED_OPEN') return true
    return state === 'OPEN' && (retryAt === null || retryAt.getTime() > this.#now)
  }

  #isFull(provider: SnapshotProvider): boolean {
    const { length } = this.#fleet.proxies
    if (provider.maxConcurrency === null || length === 0) return false
    return this.#healthOf(provider).inFlight >= provider.maxConcurrency * length
  }

  #healthOf({ id, forcedBreaker }: SnapshotProvider): ProviderHealthType {
    return aggregate(this.#fleet.providers.get(id) ?? [], forcedBreaker)
  }

  #reportsOf({ id }: ExplainedRoute): RouteHealthReport[] {
    return id === null ? [] : this.#fleet.proxies.flatMap(({ routes }) => routes.get(id) ?? [])
  }

  /** The project's own, or where it has none the shared ones. */
  #credentialsOf({ credentials }: SnapshotProvider): readonly SnapshotCredential[] {
    const { projectId } = this.#facts
    const own = projectId === null ? [] : credentials.filter((one) => one.projectId === projectId)
    return own.length > 0 ? own : credentials.filter((one) => one.projectId === null)
  }
}

/**
 * Whether a proxy lets a route rest, or all upstream keys that it could be asked with.
 * @returns null if it says nothing of it
 */
function isCoolingIn(
  { routes, coolingCredentials }: ProxyHealth,
  routeId: string | null,
  credentials: readonly SnapshotCredential[],
  now: number,
): boolean | null {
  const areKeysCooling =
    credentials.length > 0 && credentials.every(({ id }) => (coolingCredentials.get(id) ?? 0) > now)
  if (areKeysCooling) return true
  const route = routeId === null ? undefined : routes.get(routeId)
  if (route === undefined) return null
  return route.coolingUntil !== null && Date.parse(route.coolingUntil) > now
}
