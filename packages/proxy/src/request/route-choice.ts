/** Which route a request goes to next, and the waiting for one where all are full or cooling down. */
import { decide, GatewayError, type Decision, type Exclusion } from '@millrace/shared'

import type { ProviderHealth } from '../health/provider-health.ts'
import { DecisionDraft } from '../routing/decision-draft.ts'
import { LiveView } from '../routing/live-view.ts'
import { StickyRequest } from '../routing/sticky.ts'
import type { CompiledAlias, CompiledRoute, Credential } from '../snapshot/compiled.ts'
import { ClientGone } from './body.ts'
import type { Flight } from './flight.ts'
import type { Step } from './race.ts'

/** Times that a request looks again after it has waited. */
const MOST_WAITS = 5
/** What a client is told where it can't be told better. */
const RETRY_AFTER_MS = 1_000

export class RouteChoice {
  readonly view: LiveView
  private readonly flight: Flight
  private readonly alias: CompiledAlias
  private readonly sticky: StickyRequest
  /** Until when it may wait for places, as `performance.now()`; null: it has not yet. */
  private placesUntil: number | null = null

  constructor(flight: Flight) {
    this.flight = flight
    this.alias = flight.found.alias
    this.view = new LiveView(flight)
    this.sticky = new StickyRequest(flight, this.view)
  }

  /**
   * Where a request goes first. Its promise is there only if something has to be waited for.
   * @throws GatewayError if there is no route, or no time left to wait for one
   */
  first(): Step | Promise<Step> {
    if (!this.alias.enabled) throw new GatewayError('no_route_available', `"${this.alias.name}" is switched off.`)
    const decision = this.decide()
    if (decision.chosen === null) return this.firstAfterWaiting(decision)
    const looked = this.lookForPlaces(decision)
    if (looked !== null) return this.firstAfterLooking(looked)
    return this.firstBy(decision)
  }

  private firstBy(decision: Decision<CompiledRoute>): Step | Promise<Step> {
    const route = this.choose(decision)
    return route instanceof Promise ? this.stepWhen(route) : this.stepTo(route)
  }

  /**
   * Where routes are full that would have been as good as what was chosen, or better, and other workers may have places
   * there: resolves when they were asked, and a decision is to be made anew; null: there is nothing to ask.
   */
  lookForPlaces(
    { chosen, routes, excluded }: Decision<CompiledRoute>,
    tried: readonly CompiledRoute[] = [],
  ): Promise<unknown> | null {
    let looks: Promise<void>[] | null = null
    for (let i = 0; i < routes.length; i++) {
      const route = routes[i]!
      if (excluded[i] !== 'AT_CONCURRENCY_LIMIT' || route.priority > chosen!.priority || tried.includes(route)) continue
      const look = route.provider.health.lookForPlace()
      if (look !== null) (looks ??= []).push(look)
    }
    return looks && Promise.all(looks)
  }

  /** A decision among the routes that were not tried. */
  decide(tried?: readonly CompiledRoute[]): Decision<CompiledRoute> {
    this.view.now = performance.now()
    return decide(this.alias.routes, this.alias.strategy, this.view, this.view, tried)
  }

  stepTo(route: CompiledRoute): Step {
    return { route, credential: this.view.credentialOf(route) }
  }

  /** To the same route with the next upstream key of the same source; null if there is none. */
  next(route: CompiledRoute, refused: readonly Credential[]): Step | null {
    const { view } = this
    view.now = performance.now()
    const credential = view.nextCredential(route, refused)
    return credential && view.exclusionOf(route) === null ? { route, credential } : null
  }

  /** Whether a route can be taken now: as it is, or as the least bad of those that breakers shut out. */
  isOpen(route: CompiledRoute): boolean {
    this.view.now = performance.now()
    const exclusion = this.view.exclusionOf(route)
    return exclusion === null || (exclusion === 'BREAKER_OPEN' && this.decide().chosen === route)
  }

  /** To another route than was chosen a while ago; null if there is none in time. */
  async again(except: readonly CompiledRoute[]): Promise<Step | null> {
    const decision = await this.decideInTime(except)
    return decision && this.stepTo(decision.chosen!)
  }

  /** Whether a decision without a choice may become one with time. */
  isWorthWaiting(decision: Decision<CompiledRoute>): boolean {
    return this.fullRoutes(decision).length > 0 || this.restMs(decision) <= this.alias.retry.maxBackoffMs
  }

  /** What a route has answered means for the request's binding. */
  answered(route: CompiledRoute): void {
    this.sticky.answered(route)
  }

  /**
   * As {@link decide}, but where every route is full or cooling down it waits.
   * @returns null if none can be had in time
   */
  async decideInTime(tried?: readonly CompiledRoute[]): Promise<Decision<CompiledRoute> | null> {
    let decision = this.decide(tried)
    for (let i = 0; i < MOST_WAITS && decision.chosen === null; i++) {
      if (!(await this.wait(decision))) return null
      if (this.flight.over) throw new ClientGone()
      decision = this.decide(tried)
    }
    return decision.chosen === null ? null : decision
  }

  /** Takes over a place at a provider that was waited for. @returns whether there was one */
  usePlace(provider: ProviderHealth): boolean {
    const { heldAt } = this.view
    if (heldAt === provider) this.view.heldAt = null
    else this.leavePlace()
    return heldAt === provider
  }

  /** Gives back a place that was waited for in vain. */
  leavePlace(): void {
    const { heldAt } = this.view
    this.view.heldAt = null
    heldAt?.release()
  }

  private choose(decision: Decision<CompiledRoute>): CompiledRoute | Promise<CompiledRoute> {
    this.flight.decision = new DecisionDraft(this.alias, decision, this.view, this.sticky)
    return this.sticky.bind(decision)
  }

  private async firstAfterLooking(looked: Promise<unknown>): Promise<Step> {
    await looked
    const decision = this.decide()
    return decision.chosen === null ? this.firstAfterWaiting(decision) : this.firstBy(decision)
  }

  private async firstAfterWaiting(before: Decision<CompiledRoute>): Promise<Step> {
    this.flight.decision = new DecisionDraft(this.alias, before, this.view, this.sticky)
    const decision = await this.decideInTime()
    if (decision === null) throw this.noRoute(before)
    return this.stepTo(await this.choose(decision))
  }

  private async stepWhen(bound: Promise<CompiledRoute>): Promise<Step> {
    return this.stepTo(await bound)
  }

  /** @returns false if waiting is no use */
  private async wait(decision: Decision<CompiledRoute>): Promise<boolean> {
    if (this.flight.over) throw new ClientGone()
    const full = this.fullRoutes(decision)
    if (full.length > 0) return this.waitForPlace(full)
    const restMs = this.restMs(decision)
    const { maxBackoffMs, jitter } = this.alias.retry
    if (restMs > maxBackoffMs) return false
    // Later for some, so that all who wait don't come at once; earlier for none.
    await this.flight.sleep(restMs * (1 + jitter * Math.random()))
    return true
  }

  /** Those that only lack a place; where there are none, those that could be the least bad if they had one. */
  private fullRoutes(decision: Decision<CompiledRoute>): CompiledRoute[] {
    const full = routesThatAre('AT_CONCURRENCY_LIMIT', decision)
    if (full.length > 0 || decision.excluded.includes('COOLING_DOWN')) return full
    return routesThatAre('BREAKER_OPEN', decision).filter(
      ({ provider: { health } }) => health.full && health.breaker.badness !== null,
    )
  }

  private async waitForPlace(full: readonly CompiledRoute[]): Promise<boolean> {
    const { flight, view } = this
    this.leavePlace()
    this.placesUntil ??= view.now + Math.max(...full.map(({ timeouts }) => timeouts.connect))
    const providers = full.map(({ provider }) => provider.health)
    const waiter = flight.lead.gateway.waitingRoom.enter(view.tokenId, providers, this.placesUntil)
    if (waiter === null) return false
    view.heldAt = await flight.waitFor(waiter)
    return view.heldAt !== null
  }

  /** Until the first route that cools down will have; Infinity if none does. */
  private restMs(decision: Decision<CompiledRoute>): number {
    const { view } = this
    const cooling = routesThatAre('COOLING_DOWN', decision)
    return Math.min(Infinity, ...cooling.map((route) => view.cooledAt(route))) - view.now
  }

  /** What a client is told where there is no route, or no time left to wait for one. */
  noRoute(decision = this.decide()): GatewayError {
    const { name } = this.alias
    if (decision.excluded.includes('AT_CONCURRENCY_LIMIT')) {
      const message = `Every route of "${name}" is serving as many requests as it may.`
      return new GatewayError('provider_at_capacity', message, { retryAfterMs: RETRY_AFTER_MS })
    }
    const restMs = this.restMs(decision)
    if (restMs !== Infinity) {
      const message = `Every route of "${name}" is cooling down: its provider is limiting the rate of requests.`
      return new GatewayError('all_routes_failed', message, { status: 429, retryAfterMs: Math.max(1, restMs) })
    }
    const refusal = this.refusedBy(decision)
    if (refusal !== null) return refusal
    if (decision.excluded.includes('UNSUPPORTED_ENDPOINT')) {
      const message = `No provider of "${name}" can be asked for ${this.view.endpoint}.`
      return new GatewayError('unsupported_endpoint', message, { param: 'model' })
    }
    const message = `No route of "${name}" can be used now.`
    return new GatewayError('no_route_available', message, { retryAfterMs: RETRY_AFTER_MS })
  }

  /** What a provider's access says, where it is that alone which keeps a route from being a candidate. */
  private refusedBy(decision: Decision<CompiledRoute>): GatewayError | null {
    const { view } = this
    const route = routesThatAre('CONDITION_NOT_MET', decision).find(
      (one) => view.refusalAt(one) !== null && (one.condition === null || one.condition(view)),
    )
    return route === undefined ? null : view.refusalAt(route)
  }
}

function routesThatAre(exclusion: Exclusion, { routes, excluded }: Decision<CompiledRoute>): CompiledRoute[] {
  return routes.filter((_, i) => excluded[i] === exclusion)
}
