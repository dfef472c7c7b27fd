/**
 * Asks an alias's routes for an answer, one after another, until one has answered or none is left to ask: the contract's
 * "Routing, in order", from the attempts on.
 */
import type { AttemptErrorClass, Exclusion, GatewayError, RequestStatus } from '@millrace/shared'

import type { Endpoint } from '../endpoints/endpoint.ts'
import type { ProviderHealth } from '../health/provider-health.ts'
import type { CompiledAlias, CompiledRoute, Credential } from '../snapshot/compiled.ts'
import { Attempt } from './attempt.ts'
import { backoffMs } from './backoff.ts'
import { ClientGone } from './body.ts'
import { JsonErrand, type Errand } from './errand.ts'
import { gatewayError } from './failure.ts'
import type { Flight } from './flight.ts'
import { Race, type Hedging, type Starter, type Step } from './race.ts'
import { RouteChoice } from './route-choice.ts'

/** How a request ended that an error of the gateway's own answered. */
export function statusOf(error: GatewayError, attempted: boolean): RequestStatus {
  if (error.code === 'upstream_timeout') return 'TIMEOUT'
  return attempted || error.status === 500 ? 'ERROR' : 'REJECTED'
}

/** Times that a request looks for another route because the one that it waited for has gone to others. */
const MOST_LOOKS = 5

/** What keeps a route from being asked now, but not for long; null: nothing does. */
const IN_TIME: ReadonlySet<Exclusion | null> = new Set([null, 'AT_CONCURRENCY_LIMIT', 'COOLING_DOWN'])

/** The attempts of one flight, whatever it asks for. */
export class RouteAttempts implements Starter {
  protected readonly flight: Flight
  protected readonly choice: RouteChoice
  private readonly errand: Errand
  private readonly alias: CompiledAlias
  /** Routes that were asked since all of them last had been. */
  private tried: CompiledRoute[] = []
  private readonly refused: Credential[] = []
  /** Routes at which every upstream key was refused: asking again would change nothing. */
  private readonly barred: CompiledRoute[] = []
  /** Attempts, without those that only went on to the next upstream key, and without hedges. */
  private turns = 1
  /** Those among them at a provider that had been asked before. */
  private retries = 0

  constructor(flight: Flight, errand: Errand) {
    this.flight = flight
    this.errand = errand
    this.alias = flight.found.alias
    this.choice = new RouteChoice(flight)
  }

  /**
   * Brings a provider's answer to who waits for it.
   * @throws GatewayError if there is none
   * @throws ClientGone if there is nobody left to answer
   */
  async run(): Promise<void> {
    const { hedge, hedges } = this.alias
    if (hedge) hedges?.earn(hedge.maxExtraPercent)
    try {
      await this.attempt()
    } finally {
      this.choice.leavePlace()
    }
  }

  private async attempt(): Promise<void> {
    const { choice } = this
    let next: Step | null | Promise<Step | null> = choice.first()
    let failed: Attempt | null = null
    for (let looks = 0; ;) {
      const step: Step | null = next instanceof Promise ? await next : next
      if (this.flight.over) throw new ClientGone()
      // Asked here, where nothing comes between the answer and the start: while it was waited for, others may have taken
      // the last place, or the one trial.
      if (next instanceof Promise && step !== null && !choice.isOpen(step.route)) {
        next = ++looks > MOST_LOOKS ? null : choice.again(this.barred)
        continue
      }
      if (step === null) {
        if (failed === null || (failed.failure!.unsent !== null && this.othersInTime)) throw choice.noRoute()
        return this.giveUp(failed)
      }
      const race = new Race(this, this.hedging())
      race.start(step)
      await race.over
      const last = this.settle(race)
      if (last === null) return
      // What one provider can't be asked for is no reason why another has failed.
      failed = last.failure!.unsent !== null && failed !== null ? failed : last
      next = this.following(last)
    }
  }

  start(step: Step, race: Race, hedged: boolean): Attempt {
    const { flight, choice } = this
    const provider = step.route.provider.health
    const placed = choice.usePlace(provider)
    if (!this.wasAsked(provider)) provider.retries.request(performance.now())
    if (flight.lead.ownKey !== null) choice.view.onlyAt = provider
    const attempt = new Attempt(flight, this.errand, step, race, hedged)
    flight.attempts.push(attempt)
    race.attempts.push(attempt)
    attempt.send(placed)
    return attempt
  }

  answered(winner: Attempt): void {
    this.flight.answering = winner
    this.choice.answered(winner.route)
  }

  second(): Step | null {
    const { chosen } = this.choice.decide(this.flight.attempts.map(({ route }) => route))
    return chosen && this.choice.stepTo(chosen)
  }

  /** What a race has come to. @returns the attempt that failed last; null if the client has its answer, or has gone */
  private settle(race: Race): Attempt | null {
    const { flight } = this
    for (const { fault } of race.attempts) {
      if (fault !== null) throw new Error('an answer could not be passed on', { cause: fault })
    }
    if (flight.answering !== null || flight.over) return null
    for (const { route } of race.attempts) if (!this.tried.includes(route)) this.tried.push(route)
    return race.failed
  }

  /** Where to go after a failure; null: nowhere. */
  protected following({ failure, route, credential }: Attempt): Step | null | Promise<Step | null> {
    const { errorClass, retryAfterMs, retryable, unsent } = failure!
    if (!retryable) return null
    if (unsent !== null) {
      this.barred.push(route)
      return this.unasked() ?? (this.othersInTime ? this.goBack(null, null) : null)
    }
    const next = this.withNextKey(errorClass, route, credential)
    if (next !== null) return next
    if (++this.turns > this.alias.retry.maxAttempts) return null
    if (errorClass === 'upstream_auth') {
      this.barred.push(route)
      return this.elsewhere() ?? this.goBack(null, null)
    }
    const decision = this.choice.decide(this.tried)
    const looked = decision.chosen && this.choice.lookForPlaces(decision, this.tried)
    if (looked !== null) return this.onwardAfter(looked, retryAfterMs)
    return this.onward(decision.chosen, retryAfterMs)
  }

  private async onwardAfter(looked: Promise<unknown>, retryAfterMs: number | null): Promise<Step | null> {
    await looked
    return this.onward(this.choice.decide(this.tried).chosen, retryAfterMs)
  }

  /** @param untried a route that has not been; null: all have */
  private onward(untried: CompiledRoute | null, retryAfterMs: number | null): Step | Promise<Step | null> {
    if (untried !== null && !this.wasAsked(untried.provider.health)) return this.choice.stepTo(untried)
    return this.goBack(untried, retryAfterMs)
  }

  private withNextKey(errorClass: AttemptErrorClass, route: CompiledRoute, credential: Credential | null): Step | null {
    if (credential === null || (errorClass !== 'upstream_auth' && errorClass !== 'upstream_rate_limited')) return null
    this.refused.push(credential)
    return this.choice.next(route, this.refused)
  }

  /**
   * To a provider that has been asked before, after a pause and within the provider's budget of retries.
   * @param untried a route that has not been; null: all have
   */
  private async goBack(untried: CompiledRoute | null, retryAfterMs: number | null): Promise<Step | null> {
    const { choice, flight } = this
    const { retry } = this.alias
    if (untried === null) this.tried = [...this.barred]
    const decision = choice.decide(this.tried)
    if (decision.chosen === null && !choice.isWorthWaiting(decision)) return null
    const provider = decision.chosen?.provider.health
    if (provider && !provider.retries.take(performance.now())) return this.elsewhere()
    let waitMs = backoffMs(retry, this.retries++)
    // A key of the gateway's own cools down instead; see Lesson.
    if (flight.lead.ownKey !== null && retryAfterMs !== null) {
      if (retryAfterMs > retry.maxBackoffMs) return null
      waitMs = Math.max(waitMs, retryAfterMs)
    }
    await flight.sleep(waitMs)
    if (flight.over) throw new ClientGone()
    const step =
      decision.chosen && choice.isOpen(decision.chosen)
        ? choice.stepTo(decision.chosen)
        : await choice.again(this.barred)
    const other = step?.route.provider.health
    if (!other || other === provider || !this.wasAsked(other)) return step
    return other.retries.take(performance.now()) ? step : null
  }

  /** A route that has not been asked yet. */
  private unasked(): Step | null {
    const { chosen } = this.choice.decide(this.flight.attempts.map((attempt) => attempt.route))
    return chosen && this.choice.stepTo(chosen)
  }

  /** Whether there are routes that were asked and have failed, or that only lack a place or have to rest. */
  private get othersInTime(): boolean {
    const { routes, excluded } = this.choice.decide(this.barred)
    return routes.some((route, i) => IN_TIME.has(excluded[i]!) && !this.barred.includes(route))
  }

  /** A route of a provider that has not been asked yet. */
  private elsewhere(): Step | null {
    const asked = this.alias.routes.filter(({ provider }) => this.wasAsked(provider.health))
    const { chosen } = this.choice.decide(asked)
    return chosen && this.choice.stepTo(chosen)
  }

  private wasAsked(provider: ProviderHealth): boolean {
    return this.flight.attempts.some(({ route }) => route.provider.health === provider)
  }

  private hedging(): Hedging | null {
    const { hedge, hedges } = this.alias
    return hedge && hedges && { policy: hedge, budget: hedges }
  }

  /** The last attempt has failed. */
  protected giveUp(failed: Attempt): void {
    const { flight } = this
    flight.blamed = failed
    if (failed.failure!.refusal === null) throw gatewayError(failed.route.provider.name, failed.failure!)
    flight.answering = failed
    flight.sink.refuse(failed)
  }
}

/** Those for an endpoint whose bodies are understood. */
export class Attempts extends RouteAttempts {
  constructor(flight: Flight, endpoint: Endpoint) {
    super(flight, new JsonErrand(endpoint))
  }
}
