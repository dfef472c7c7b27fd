/** Limits as requests use them: counted in Redis while it is there, else here. */
import { GatewayError } from '@millrace/shared'
import type { Logger } from 'pino'

import { Recent } from './recent.ts'
import type { RedisLimits } from './redis.ts'
import type { Admission, Claim, LimitedSubject, LocalLimits, SpentSum, Used } from './store.ts'

/** Where limits are counted now. */
export type LimitsBackend = 'local' | 'redis' | 'local (redis is away)' | 'refused (redis is away)'

const NOTHING: Used = { tokens: 0, cost: 0n, counted: false }
const RETRY_MS = 1_000
/** It is said to be away once it has been for so long: a moment is nobody's business. */
const AWAY_MS = 1_000

/** A claim that Redis was asked for, until it is settled. */
class Shared {
  readonly claim: Claim
  /** Pending: not answered yet. */
  admittedBy: 'pending' | 'redis' | 'local' = 'pending'
  /** Whether it is held here too, since Redis has gone. */
  assumed = false
  /** What it came to, where that was known before its admission was. */
  used: Used | null = null
  /** Whether Redis may have heard of it. */
  readonly asked: boolean

  constructor(claim: Claim, asked: boolean) {
    this.claim = claim
    this.asked = asked
  }
}

export class Limits {
  readonly #local: LocalLimits
  readonly #redis: RedisLimits | null
  readonly #refuses: boolean
  readonly #log: Logger
  readonly #shared = new Map<string, Shared>()
  /** Those with a quota or a budget, by their ids. */
  readonly #used = new Recent<LimitedSubject>()
  /** When Redis was found away, as `performance.now()`. */
  #awaySince: number | null = null
  #told = false
  #dropped = 0

  /**
   * @param local counts while there is no Redis: in this process, or in the workers' primary
   * @param redis null: never asked
   * @param refuses whether what has limits is refused while Redis is away
   */
  constructor(local: LocalLimits, redis: RedisLimits | null, refuses: boolean, log: Logger) {
    this.#local = local
    this.#redis = redis
    this.#refuses = refuses
    this.#log = log
  }

  get backend(): LimitsBackend {
    if (this.#redis === null) return 'local'
    if (this.#redis.usable) return 'redis'
    return this.#refuses ? 'refused (redis is away)' : 'local (redis is away)'
  }

  /**
   * As {@link LocalLimits.admit}; without a promise where Redis is not asked and limits are counted in this process.
   * @throws GatewayError limits_unavailable
   */
  admit(claim: Claim): Admission | Promise<Admission> {
    this.#use(claim.subjects)
    if (this.#redis === null) return this.#local.admit(claim)
    const asks = this.#asksRedis(this.#redis)
    const shared = new Shared(claim, asks)
    this.#shared.set(claim.id, shared)
    if (asks) return this.#admitShared(this.#redis, shared)
    return this.#refuses ? this.#refuse(shared) : this.#admitHere(shared)
  }

  /** As {@link LocalLimits.settle}. */
  settle(claim: Claim, used: Used): void {
    this.#use(claim.subjects)
    if (this.#redis === null) {
      this.#local.settle(claim, used)
      return
    }
    const shared = this.#shared.get(claim.id)
    if (shared === undefined) return
    if (shared.admittedBy === 'pending') shared.used = used
    else this.#settle(this.#redis, shared, used)
  }

  /**
   * Those with a quota or a budget of which others may have used something that is not known here: for some time after they
   * were used here, since what others used meanwhile reaches control later.
   */
  usedLately(): LimitedSubject[] {
    return this.#used.values()
  }

  /**
   * Forgets those of {@link usedLately} of long ago; called now and then. While Redis is away none is forgotten: what control
   * says of them then has yet to reach it.
   */
  forget(): void {
    if (this.#awaySince === null) this.#used.age()
  }

  /** What control has stored; nothing is lowered by it. */
  raise(sums: readonly SpentSum[]): void {
    this.#local.raise(sums)
    this.#redis?.raise(sums)
  }

  /** The claims that are being served and that Redis has admitted, or was not there for. */
  *open(): Generator<Claim> {
    for (const { claim, admittedBy } of this.#shared.values()) if (admittedBy !== 'pending') yield claim
  }

  /** Called each second: notices that Redis has gone, or is back, where no request does. */
  look(): void {
    if (this.#redis === null) return
    const { dropped } = this.#redis
    if (dropped > this.#dropped)
      this.#log.error({ dropped }, 'Redis will not know how some requests ended: more had waited to be told than can')
    this.#dropped = dropped
    if (this.#asksRedis(this.#redis)) return
    if (this.#told || performance.now() - this.#awaySince! < AWAY_MS) return
    this.#told = true
    const how = this.#refuses ? 'requests that have limits are refused' : 'limits are counted by this proxy alone'
    this.#log.warn(`Redis is away: ${how} until it is back`)
  }

  #use(subjects: readonly LimitedSubject[]): void {
    for (const subject of subjects)
      if (subject.budget !== null || subject.maxRequests !== null) this.#used.set(subject.id, subject)
  }

  /** Whether Redis is to be asked: not before it knows what was spent without it. */
  #asksRedis(redis: RedisLimits): boolean {
    if (redis.usable) {
      if (this.#awaySince !== null) this.#goBack(redis)
      return true
    }
    if (this.#awaySince === null) this.#goOnHere(redis)
    redis.catchUp()
    return false
  }

  #goBack(redis: RedisLimits): void {
    this.#awaySince = null
    if (this.#told) this.#log.info('limits are counted in Redis again')
    this.#told = false
    redis.remind()
    redis.renew(this.open())
  }

  #goOnHere(redis: RedisLimits): void {
    this.#awaySince = performance.now()
    if (this.#refuses) return
    const open: Claim[] = []
    for (const shared of this.#shared.values()) {
      if (shared.admittedBy !== 'redis' || shared.assumed) continue
      shared.assumed = true
      open.push(shared.claim)
    }
    const { sums, rates } = redis.said()
    this.#local.assume(open, sums, rates)
  }

  async #admitShared(redis: RedisLimits, shared: Shared): Promise<Admission> {
    let admission: Admission
    try {
      admission = await redis.admit(shared.claim)
    } catch {
      // It may have been admitted: whatever it comes to, Redis is told.
      this.#asksRedis(redis)
      return this.#refuses ? this.#refuse(shared) : this.#admitHere(shared)
    }
    if (admission.refusal !== null) this.#shared.delete(shared.claim.id)
    else this.#admitted(redis, shared, 'redis')
    return admission
  }

  #admitHere(shared: Shared): Admission | Promise<Admission> {
    const admission = this.#local.admit(shared.claim)
    return admission instanceof Promise ? this.#afterwards(shared, admission) : this.#admittedHere(shared, admission)
  }

  async #afterwards(shared: Shared, admission: Promise<Admission>): Promise<Admission> {
    try {
      return this.#admittedHere(shared, await admission)
    } catch (error) {
      this.#void(shared)
      throw error
    }
  }

  #admittedHere(shared: Shared, admission: Admission): Admission {
    if (admission.refusal !== null) this.#void(shared)
    else this.#admitted(this.#redis!, shared, 'local')
    return admission
  }

  #admitted(redis: RedisLimits, shared: Shared, by: 'redis' | 'local'): void {
    shared.admittedBy = by
    if (shared.used !== null) this.#settle(redis, shared, shared.used)
  }

  #settle(redis: RedisLimits, { claim, admittedBy, assumed }: Shared, used: Used): void {
    this.#shared.delete(claim.id)
    if (admittedBy === 'local' || assumed) this.#local.settle(claim, used)
    if (admittedBy === 'redis') redis.settle(claim, used)
    else redis.tell(claim, used)
  }

  #refuse(shared: Shared): never {
    this.#void(shared)
    throw new GatewayError('limits_unavailable', 'The gateway cannot count this request towards its limits now.', {
      retryAfterMs: RETRY_MS,
    })
  }

  /** It is not served, though Redis may have admitted it. */
  #void({ claim, asked }: Shared): void {
    this.#shared.delete(claim.id)
    if (asked) this.#redis!.tell(claim, NOTHING)
  }
}
