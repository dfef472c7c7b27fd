import type { Redis } from '../redis/redis.ts'
import { amountArgs, layoutOf, processKey, sumTtl } from './redis-layout.ts'
import { SETTLE } from './redis-scripts.ts'
import type { Claim, Used } from './store.ts'
import { spentOf } from './sums.ts'

const MOST_UNTOLD = 100_000
/** Sent at once when Redis is back. */
const A_STEP = 500
/** Times that Redis, being there, may refuse one: then it would for ever. */
const MOST_REFUSALS = 5
/** How long Redis remembers what was told it of claims that it had not admitted: far longer than telling it again takes. */
const REMEMBERED_MS = 86_400_000

/** How a claim ended, for Redis. */
export interface Settlement {
  readonly claim: Claim
  readonly used: Used
  /** Who admitted the claim: Redis, or perhaps somebody else. */
  readonly from: 'here' | 'elsewhere'
  /** Whether control may know of it before Redis does. */
  readonly late: boolean
  readonly refusals?: number
}

/** Tells Redis how claims ended: at once, or when it is back. */
export class Untold {
  /** Those that will never be told. */
  dropped = 0
  readonly #redis: Redis
  readonly #keys: readonly [string, string]
  readonly #most: number
  readonly #queue: Settlement[] = []
  #telling = false

  constructor(redis: Redis, process: string, most = MOST_UNTOLD) {
    this.#redis = redis
    this.#keys = [processKey('open', process), processKey('gone', process)]
    this.#most = most
  }

  /** Whether there is anything that was not told when it should have been. */
  get behind(): boolean {
    return this.#telling || this.#queue.length > 0
  }

  tell(settlement: Settlement): void {
    if (this.#redis.ready) void this.#send(settlement)
    else this.#keep({ ...settlement, late: true })
  }

  /** Sends what waits, until none does or Redis has gone again. */
  async catchUp(): Promise<void> {
    if (this.#telling) return
    this.#telling = true
    while (this.#redis.ready && this.#queue.length > 0) {
      const step = this.#queue.splice(0, A_STEP)
      await Promise.all(step.map((settlement) => this.#send(settlement)))
    }
    this.#telling = false
  }

  async #send(settlement: Settlement): Promise<void> {
    const { keys, args } = call(settlement)
    try {
      await this.#redis.run(SETTLE, [...this.#keys, ...keys], args)
    } catch {
      // It may have been told all the same: once more does no harm.
      const { refusals = 0 } = settlement
      this.#keep({ ...settlement, late: true, refusals: refusals + (this.#redis.ready ? 1 : 0) })
    }
  }

  #keep(settlement: Settlement): void {
    if (this.#queue.length >= this.#most || (settlement.refusals ?? 0) > MOST_REFUSALS) this.dropped++
    else this.#queue.push(settlement)
  }
}

function call({ claim, used, from, late }: Settlement): { keys: readonly string[]; args: string[] } {
  const { rates, slots, sums, keys } = layoutOf(claim)
  const args = [
    claim.id,
    from,
    late ? 'late' : '',
    String(REMEMBERED_MS),
    String(rates.length),
    String(slots.length),
    String(sums.length),
  ]
  for (const { rate, limit } of rates) {
    const back = rate === 'tokens' ? claim.tokens - used.tokens : used.counted ? 0 : 1
    args.push(String(limit), String(back))
  }
  for (const { limit, window, amount } of sums)
    args.push(...amountArgs(limit, amount), ...amountArgs(limit, spentOf(limit, used)), sumTtl(window))
  return { keys, args }
}
