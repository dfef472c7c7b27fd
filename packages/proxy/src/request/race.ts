import type { AttemptErrorClass, HedgePolicy } from '@millrace/shared'

import type { HedgeBudget } from '../health/hedge-budget.ts'
import type { CompiledRoute, Credential } from '../snapshot/compiled.ts'
import type { Attempt } from './attempt.ts'

/** Where an attempt goes. */
export interface Step {
  readonly route: CompiledRoute
  /** Null where the provider is asked without one. */
  readonly credential: Credential | null
}

/** What a race is run for. */
export interface Starter {
  /** Sends an attempt. */
  start(step: Step, race: Race, hedged: boolean): Attempt
  /** An attempt has the first content: its answer is the client's. */
  answered(winner: Attempt): void
  /** A second route to ask, now; null if there is none. */
  second(): Step | null
}

/** When to ask a second route. */
export interface Hedging {
  readonly policy: HedgePolicy
  readonly budget: HedgeBudget
}

/**
 * One attempt, or two where the first is slow: the first with content is the client's answer, and the other is let go.
 */
export class Race {
  readonly attempts: Attempt[] = []
  /** Resolves when one has answered the client, or all have failed. */
  readonly over: Promise<void>
  private readonly starter: Starter
  private readonly hedging: Hedging | null
  private readonly resolve: () => void
  private running = 0
  private timer: NodeJS.Timeout | null = null

  constructor(starter: Starter, hedging: Hedging | null) {
    this.starter = starter
    this.hedging = hedging
    const { promise, resolve } = Promise.withResolvers<void>()
    this.over = promise
    this.resolve = resolve
  }

  /** The attempt that failed last; null while none has. */
  get failed(): Attempt | null {
    let last: Attempt | null = null
    for (const attempt of this.attempts) {
      if (attempt.failure === null || attempt.failure.lost) continue
      if (last === null || attempt.endedAt >= last.endedAt) last = attempt
    }
    return last
  }

  start(step: Step): void {
    if (this.hedging !== null) this.timer = setTimeout(hedge, this.hedging.policy.afterMs, this)
    this.add(step, false)
  }

  /** @internal */
  hedge(): void {
    this.timer = null
    if (this.running === 0) return
    const { policy, budget } = this.hedging!
    const step = this.starter.second()
    if (step !== null && budget.take(policy.maxExtraPercent)) this.add(step, true)
  }

  /** An attempt has the first content: the answer is its. */
  claim(winner: Attempt): void {
    this.stopWaiting()
    for (const attempt of this.attempts) if (attempt !== winner) attempt.lose()
    this.starter.answered(winner)
  }

  /** Called by each attempt, once. */
  ended(attempt: Attempt): void {
    this.running--
    if (this.running > 0 && !endsAll(attempt)) return
    this.stopWaiting()
    const { failure } = attempt
    for (const other of this.attempts) {
      if (failure !== null && CALLED_OFF.has(failure.errorClass)) other.fail(failure.errorClass, failure.message)
      else other.lose()
    }
    this.resolve()
  }

  private add(step: Step, hedged: boolean): void {
    this.running++
    this.starter.start(step, this, hedged)
  }

  private stopWaiting(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }
}

/** Why an attempt ended that is the end of the others as well: none of them was faster. */
const CALLED_OFF: ReadonlySet<AttemptErrorClass> = new Set(['client_cancelled', 'admin_cancelled', 'shutting_down'])

/** Whether what has become of an attempt is the race's end, though another still runs. */
function endsAll({ failure, fault, hedged }: Attempt): boolean {
  if (fault !== null) return true
  if (failure === null || failure.lost || failure.retryable || failure.errorClass === 'total_timeout') return false
  // A refusal that no other route can mend is the client's answer; but a hedge was not what was asked for first.
  return failure.refusal === null || !hedged
}

function hedge(race: Race): void {
  race.hedge()
}
