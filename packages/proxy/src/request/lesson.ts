import type { AttemptErrorClass } from '@millrace/shared'

import { ORDINARY, type Passage, type Verdict } from '../health/breaker.ts'
import type { CompiledRoute, Credential } from '../snapshot/compiled.ts'
import type { Failure } from './failure.ts'

/** An upstream key that was refused comes after the others for so long. */
const DISTRUST_MS = 60_000

/** What an attempt teaches of its provider, its route and its upstream key. */
export class Lesson {
  private readonly route: CompiledRoute
  private readonly credential: Credential | null
  private readonly stream: boolean
  private began = 0
  private passage: Passage = ORDINARY
  private contentSeen = false
  private answering = false
  private awaiting = false

  constructor(route: CompiledRoute, credential: Credential | null, stream: boolean) {
    this.route = route
    this.credential = credential
    this.stream = stream
  }

  /** @param heldPlace whether its place at the provider was taken before */
  begin(now: number, heldPlace: boolean): void {
    const { health } = this.route.provider
    this.began = now
    this.passage = health.breaker.begin(now)
    if (!heldPlace) health.take()
    this.route.health.begin(now)
  }

  /** Its answer has begun: from now on the client, too, can be the slow one. */
  claimed(): void {
    this.answering = true
  }

  /** It ends while its body has yet to come from its client: that it took long, or was cut off, may be the client's doing. */
  awaitedClient(): void {
    this.awaiting = true
  }

  firstToken(now: number): void {
    const { health } = this.route.provider
    this.contentSeen = true
    this.route.health.latency(true).observe(now - this.began, now)
    health.timeToFirstToken.add(now - this.began, now)
    health.breaker.recovered(this.passage)
  }

  /** @param failure null: it has answered */
  end(failure: Failure | null, now: number): void {
    const { route } = this
    const { health } = route.provider
    const elapsed = now - this.began
    const verdict = failure === null ? 'success' : this.verdictOn(failure.errorClass)
    if (failure === null) {
      health.latency.add(elapsed, now)
      if (!this.stream) route.health.latency(false).observe(elapsed, now)
    } else {
      if (!this.contentSeen && !this.awaiting && TOO_SLOW.has(failure.errorClass)) {
        route.health.latency(this.stream).observeAtLeast(elapsed, now)
      }
      this.coolDown(failure, now)
      if (verdict === 'failure') health.failed(`${failure.errorClass}: ${failure.message}`)
    }
    this.close(verdict, now)
  }

  /** It ended by a fault of ours, which says nothing of anybody else. */
  skip(now: number): void {
    this.close('unknown', now)
  }

  private verdictOn(errorClass: AttemptErrorClass): Verdict {
    return (this.awaiting && WHILE_AWAITING[errorClass]) || verdictOf(errorClass, this.answering)
  }

  private close(verdict: Verdict, now: number): void {
    const { health, provider } = this.route
    provider.health.breaker.end(verdict, this.passage, now)
    health.end()
    provider.health.release()
  }

  /** What a client's own key has met with is no other request's business. */
  private coolDown({ errorClass, retryAfterMs, retryable }: Failure, now: number): void {
    const { route, credential } = this
    if (credential?.source === 'REQUEST') return
    if (errorClass === 'upstream_auth') {
      if (credential) credential.health.distrustedUntil = now + DISTRUST_MS
    } else if (retryAfterMs !== null && retryable && REFUSED.has(errorClass)) {
      const cooling = errorClass === 'upstream_rate_limited' && credential ? credential.health : route.health
      cooling.coolingUntil = Math.max(cooling.coolingUntil, now + retryAfterMs)
    }
  }
}

/** Failures by the upstream's status. Where that was a client's to mend, or a success, its `retry-after` is no other request's. */
const REFUSED: ReadonlySet<AttemptErrorClass> = new Set(['upstream_rate_limited', 'upstream_5xx', 'upstream_4xx'])

/** Failures that say: this long at least. */
const TOO_SLOW: ReadonlySet<AttemptErrorClass> = new Set([
  'connect_timeout',
  'first_token_timeout',
  'idle_timeout',
  'total_timeout',
  'hedge_lost',
])

/** Verdicts on failures that may be a client's whose body has yet to come. */
const WHILE_AWAITING: Readonly<Partial<Record<AttemptErrorClass, Verdict>>> = {
  idle_timeout: 'alive',
  total_timeout: 'alive',
  transport_error: 'unknown',
}

/** @param answering whether the answer had begun */
function verdictOf(errorClass: AttemptErrorClass, answering: boolean): Verdict {
  switch (errorClass) {
    case 'upstream_auth':
    case 'upstream_rate_limited':
    case 'upstream_4xx':
      return 'alive'
    case 'unsupported_endpoint':
    case 'param_not_allowed':
      return 'unknown'
    case 'client_cancelled':
    case 'admin_cancelled':
    case 'hedge_lost':
    case 'shutting_down':
      return answering ? 'alive' : 'unknown'
    case 'total_timeout':
      return answering ? 'alive' : 'failure'
    default:
      return 'failure'
  }
}
