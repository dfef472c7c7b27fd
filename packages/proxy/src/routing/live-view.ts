import {
  estimateTokens,
  expectedPrice,
  fingerprint,
  type DecisionView,
  type Exclusion,
  type GatewayError,
  type RequestFacts,
} from '@millrace/shared'

import { bodyRefusal, headRefusal } from '../access/check.ts'
import type { Call } from '../endpoints/endpoint.ts'
import { CredentialHealth } from '../health/credential-health.ts'
import type { ProviderHealth } from '../health/provider-health.ts'
import type { Exchange } from '../request/exchange.ts'
import type { Flight } from '../request/flight.ts'
import type { CompiledAlias, CompiledProvider, CompiledRoute, Credential } from '../snapshot/compiled.ts'
import { cooledAt, credentialsFor, pickCredential } from './credentials.ts'
import type { Found } from './found.ts'
import { modelFor, priceOf } from './price.ts'

/** How things stand for one request: what its alias's routes are worth to it now, and what conditions may ask of it. */
export class LiveView implements DecisionView<CompiledRoute>, RequestFacts {
  /** As `performance.now()`; set anew before each decision. */
  now = performance.now()
  readonly endpoint: string
  readonly stream: boolean
  readonly model: string
  /** Where the client's own key may go; null: nowhere yet, the first choice decides. */
  onlyAt: ProviderHealth | null = null
  /** A place that was waited for. */
  heldAt: ProviderHealth | null = null
  private readonly exchange: Exchange
  private readonly call: Call
  private readonly found: Found
  private readonly alias: CompiledAlias
  /** What the access of their providers says of routes; null until one has any. */
  private refusals: Map<CompiledRoute, GatewayError | null> | null = null

  constructor({ lead, call, found }: Flight) {
    this.exchange = lead
    this.call = call
    this.found = found
    this.alias = found.alias
    this.endpoint = lead.endpoint
    this.stream = call.stream
    this.model = call.model
  }

  exclusionOf(route: CompiledRoute): Exclusion | null {
    const { provider, health } = route
    const { now } = this
    if (provider.unserved.has(this.endpoint)) return 'UNSUPPORTED_ENDPOINT'
    if (this.refusalAt(route) !== null) return 'CONDITION_NOT_MET'
    if (this.exchange.ownKey === null) {
      const credentials = credentialsFor(provider, this.exchange.token!.projectId)
      if (credentials.length === 0 && provider.needsCredential) return 'NO_CREDENTIAL'
      if (credentials.length > 0 && pickCredential(credentials, now) === null) return 'COOLING_DOWN'
    } else if (!this.takesOwnKey(provider)) {
      return 'NO_CREDENTIAL'
    }
    if (health.coolingUntil > now) return 'COOLING_DOWN'
    if (!provider.health.breaker.admits(now)) return 'BREAKER_OPEN'
    return this.isFull(provider) ? 'AT_CONCURRENCY_LIMIT' : null
  }

  /** Why a route's provider is not asked for such a request; null: it may be. */
  refusalAt(route: CompiledRoute): GatewayError | null {
    const { access } = route.provider
    if (access === null) return null
    this.refusals ??= new Map()
    let refusal = this.refusals.get(route)
    if (refusal === undefined) {
      const model = modelFor(route, this.found)
      refusal = headRefusal(access, this.exchange) ?? bodyRefusal(access, this.call, model)
      this.refusals.set(route, refusal)
    }
    return refusal
  }

  badnessOf({ provider }: CompiledRoute): number | null {
    return this.isFull(provider) ? null : provider.health.breaker.badness
  }

  latencyOf({ health }: CompiledRoute): number | null {
    return health.latency(this.stream).value
  }

  inFlightOf({ health }: CompiledRoute): number {
    return health.inFlight
  }

  costOf(route: CompiledRoute): number | null {
    const price = priceOf(route, modelFor(route, this.found))
    return price && expectedPrice(price, this.estimatedInputTokens())
  }

  random(): number {
    return Math.random()
  }

  draw(): number {
    return this.alias.turns.draw()
  }

  turn(): number {
    return this.alias.turns.turn()
  }

  /** The upstream key that an attempt at a route begins with; null where it is asked without one. */
  credentialOf({ provider }: CompiledRoute): Credential | null {
    const { ownKey, token } = this.exchange
    return ownKey === null
      ? pickCredential(credentialsFor(provider, token!.projectId), this.now)
      : ownCredential(provider, ownKey)
  }

  /** The next of the same source; null if there is none. A client's own key has no other to stand in for it. */
  nextCredential({ provider }: CompiledRoute, refused: readonly Credential[]): Credential | null {
    const { ownKey, token } = this.exchange
    return ownKey === null ? pickCredential(credentialsFor(provider, token!.projectId), this.now, refused) : null
  }

  /** When a route that is cooling down will have, as `performance.now()`. */
  cooledAt({ provider, health }: CompiledRoute): number {
    if (this.exchange.ownKey !== null) return health.coolingUntil
    const credentials = credentialsFor(provider, this.exchange.token!.projectId)
    return Math.max(health.coolingUntil, credentials.length === 0 ? 0 : cooledAt(credentials))
  }

  get tokenId(): string {
    return this.exchange.token!.id
  }

  get tokenName(): string {
    return this.exchange.token!.name
  }

  get projectId(): string {
    return this.exchange.token!.projectId
  }

  get projectName(): string {
    return this.exchange.project!.name
  }

  get user(): string | null {
    return this.exchange.userKey
  }

  get conversation(): string | null {
    return this.exchange.conversationKey
  }

  get metadata(): Readonly<Record<string, unknown>> | null {
    return this.exchange.metadata
  }

  header(name: string): string | null {
    const { headers } = this.exchange.req
    return Object.hasOwn(headers, name) ? String(headers[name]) : null
  }

  maxTokens(): number | null {
    return this.call.features().maxTokens
  }

  hasTools(): boolean {
    return this.call.features().tools
  }

  hasImages(): boolean {
    return this.call.features().images
  }

  estimatedInputTokens(): number {
    return estimateTokens(this.call.bodyLength)
  }

  private isFull({ health }: CompiledProvider): boolean {
    return health.full && health !== this.heldAt
  }

  private takesOwnKey({ name, health }: CompiledProvider): boolean {
    const { ownKeyFor } = this.exchange
    if (ownKeyFor !== null) return name === ownKeyFor
    return this.onlyAt === null || this.onlyAt === health
  }
}

function ownCredential(provider: CompiledProvider, apiKey: string): Credential {
  return {
    source: 'REQUEST',
    fingerprint: fingerprint(apiKey),
    apiKey,
    headers: provider.authorize(apiKey),
    // Its own: what becomes of a client's key is no other request's business.
    health: new CredentialHealth(),
  }
}
