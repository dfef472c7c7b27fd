/** How things stand for one request, put together from what the online proxies report. */
import {
  expectedPrice,
  providerModelOf,
  routePrice,
  servesEndpoint,
  type DecisionView,
  type Exclusion,
  type PriceList,
  type RouteFigures,
} from '@millrace/shared'

import type { FleetHealth, ProxyHealth } from '../health/fleet.ts'
import { accessRefusal } from './access.ts'
import type { ExplainedRoute } from './configuration.ts'
import { exclusionIn, figuresOf, isFull } from './exclusion.ts'
import type { ExplainedRequest } from './explained-request.ts'

/** A proxy that has not served yet, to go by where none is online. */
const NEW_PROXY: ProxyHealth = { providers: new Map(), routes: new Map(), direct: new Map(), credentials: new Map() }

/** What a model's name led to. */
export interface RequestedModel {
  readonly model: string
  readonly matched: string | null
}

/** What holds in at least half of the proxies holds here: the request may come to any of them. */
export class FleetView implements DecisionView<ExplainedRoute> {
  readonly #proxies: readonly ProxyHealth[]
  readonly #request: ExplainedRequest
  readonly #requested: RequestedModel
  readonly #prices: PriceList
  readonly #turn = Math.floor(Math.random() * 1_000_000)

  constructor({ proxies }: FleetHealth, request: ExplainedRequest, requested: RequestedModel, prices: PriceList) {
    this.#proxies = proxies.length > 0 ? proxies : [NEW_PROXY]
    this.#request = request
    this.#requested = requested
    this.#prices = prices
  }

  exclusionOf(route: ExplainedRoute): Exclusion | null {
    if (!servesEndpoint(route.provider, this.#request.facts.endpoint)) return 'UNSUPPORTED_ENDPOINT'
    if (accessRefusal(route.provider.access, this.#request.asked, this.providerModelOf(route)) !== null)
      return 'CONDITION_NOT_MET'
    const exclusions = this.#proxies.flatMap((proxy) => exclusionIn(proxy, route, this.#request) ?? [])
    return this.#isHalf(exclusions.length) ? mostFrequent(exclusions) : null
  }

  badnessOf({ provider }: ExplainedRoute): number | null {
    if (provider.forcedBreaker === 'FORCED_OPEN') return null
    if (this.#isHalf(this.#proxies.filter((proxy) => isFull(provider, proxy)).length)) return null
    const retries = this.#proxies.map(({ providers }) => Date.parse(providers.get(provider.id)?.retryAt ?? ''))
    return Math.max(0, ...retries.filter((retryAt) => !Number.isNaN(retryAt)))
  }

  /** The mean of what the proxies go by. */
  latencyOf(route: ExplainedRoute): number | null {
    const { stream } = this.#request.facts
    const known = this.#figuresOf(route)
      .map(({ streamLatencyMs, answerLatencyMs }) => (stream ? streamLatencyMs : answerLatencyMs))
      .filter((latency) => latency !== null)
    return known.length === 0 ? null : known.reduce((sum, latency) => sum + latency, 0) / known.length
  }

  inFlightOf(route: ExplainedRoute): number {
    return this.#figuresOf(route).reduce((sum, { inFlight }) => sum + inFlight, 0)
  }

  costOf(route: ExplainedRoute): number | null {
    const price = routePrice(route.prices, this.#prices.priceOf(route.provider, this.providerModelOf(route)))
    return price && expectedPrice(price, this.#request.facts.estimatedInputTokens())
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

  #isHalf(proxies: number): boolean {
    return proxies > 0 && proxies * 2 >= this.#proxies.length
  }

  #figuresOf(route: ExplainedRoute): RouteFigures[] {
    return this.#proxies.flatMap((proxy) => figuresOf(proxy, route) ?? [])
  }
}

/** Of several, the first. */
function mostFrequent(exclusions: readonly Exclusion[]): Exclusion {
  const counted = [...Map.groupBy(exclusions, (exclusion) => exclusion).entries()]
  return counted.reduce((most, one) => (one[1].length > most[1].length ? one : most))[0]
}
