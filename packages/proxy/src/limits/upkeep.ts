import type { Limits, LimitsBackend } from './limits.ts'
import type { Orphans } from './redis-orphans.ts'
import type { RedisLimits } from './redis.ts'
import type { UsedRefresh } from './refresh.ts'

const TICK_MS = 1_000
/** In ticks. */
const REFRESH_EVERY = 5
const RENEW_EVERY = 20
const FORGET_EVERY = 60

/** What limits need done while no request does it. */
export class LimitsUpkeep {
  readonly #limits: Limits
  readonly #refresh: UsedRefresh
  readonly #redis: RedisLimits | null
  readonly #orphans: Orphans | null
  #timer: NodeJS.Timeout | null = null
  #ticks = 0
  #backend: LimitsBackend

  constructor(limits: Limits, refresh: UsedRefresh, redis: RedisLimits | null, orphans: Orphans | null) {
    this.#limits = limits
    this.#refresh = refresh
    this.#redis = redis
    this.#orphans = orphans
    this.#backend = limits.backend
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  #tick(): void {
    this.#ticks++
    this.#limits.look()
    this.#orphans?.look()
    const { backend } = this.#limits
    // Who counts from now on may not know what others have spent.
    if (this.#ticks % REFRESH_EVERY === 0 || backend !== this.#backend) void this.#refresh.ask()
    this.#backend = backend
    if (this.#ticks % RENEW_EVERY === 0) this.#redis?.renew(this.#limits.open())
    if (this.#ticks % FORGET_EVERY === 0) this.#redis?.forget()
  }
}
