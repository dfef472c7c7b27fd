import type { Redis } from '../redis/redis.ts'
import { CONCURRENCY_RETRY_MS } from './memory.ts'
import { tighter } from './rates.ts'
import {
  amountArgs,
  layoutOf,
  openValue,
  processKey,
  PROCESSES,
  slotsKey,
  sumKey,
  sumTtl,
  type Layout,
} from './redis-layout.ts'
import { Said } from './redis-said.ts'
import { ADMIT, RAISE, RENEW } from './redis-scripts.ts'
import { Untold } from './redis-untold.ts'
import {
  QUOTA,
  type Admission,
  type Claim,
  type LimitStore,
  type RateStanding,
  type SpentSum,
  type Used,
} from './store.ts'
import { joined, knownSpent, reservationsOf, retryAfter, spentOf } from './sums.ts'

/** A place is free again so long after its process was last heard of. */
const LEASE_MS = 60_000
/** Keys that one call of a script takes: Redis does nothing else meanwhile. */
const KEYS_A_CALL = 200
/** Between two times that Redis is told anew what it has said, because it may have forgotten. */
const REMIND_MS = 1_000
/** Nobody's request waits for it. */
const UPKEEP_DEADLINE_MS = 5_000

export interface RedisLimitsOptions {
  readonly leaseMs?: number
  /** Settlements that wait while Redis is away. */
  readonly mostUntold?: number
}

/** Limits that all proxies share, by Redis's clock. */
export class RedisLimits implements LimitStore {
  /** This process, as the others see it: its claims are theirs to count once it is dead. */
  readonly process: string
  readonly #redis: Redis
  readonly #untold: Untold
  readonly #said = new Said()
  readonly #leaseMs: number
  #remindedAt = -Infinity
  readonly #ownKeys: readonly [string, string, string]

  /** @param process an id of this one life of a process */
  constructor(redis: Redis, process: string, { leaseMs = LEASE_MS, mostUntold }: RedisLimitsOptions = {}) {
    this.process = process
    this.#redis = redis
    this.#leaseMs = leaseMs
    this.#ownKeys = [processKey('open', process), processKey('gone', process), PROCESSES]
    this.#untold = new Untold(redis, process, mostUntold)
  }

  /** Whether it is to be asked: it is there, and knows what was spent without it. */
  get usable(): boolean {
    return this.#redis.ready && !this.#untold.behind
  }

  /** Settlements that will never be told. */
  get dropped(): number {
    return this.#untold.dropped
  }

  /** @throws Error if it can't be told whether the claim was admitted */
  async admit(claim: Claim): Promise<Admission> {
    const layout = layoutOf(claim)
    const reply = await this.#redis.run(ADMIT, [...this.#ownKeys, ...layout.keys], this.#admitArgs(claim, layout))
    return this.#admission(layout, reply as (number | string)[])
  }

  settle(claim: Claim, used: Used): void {
    this.#add(claim, used)
    this.#untold.tell({ claim, used, from: 'here', late: false })
  }

  /** Tells of a claim that was admitted without Redis; or of one of which nobody knows whether Redis admitted it. */
  tell(claim: Claim, used: Used): void {
    this.#add(claim, used)
    this.#untold.tell({ claim, used, from: 'elsewhere', late: true })
  }

  /** Begins to tell what could not be told. */
  catchUp(): void {
    void this.#untold.catchUp()
  }

  raise(sums: readonly SpentSum[]): void {
    for (let i = 0; i < sums.length; i += KEYS_A_CALL) void this.#raise(sums.slice(i, i + KEYS_A_CALL))
  }

  /** Tells it what it has said, and what came of that since: it may have come back without. */
  remind(): void {
    this.#remindedAt = performance.now()
    this.raise(this.#said.all().sums)
  }

  /** What Redis has said of the subjects that were used lately. */
  said(): ReturnType<Said['all']> {
    return this.#said.all()
  }

  /** Forgets what was said long ago; called now and then. */
  forget(): void {
    this.#said.age()
  }

  /** Keeps the places of claims that are being served. */
  renew(open: Iterable<Claim>): void {
    let keys: string[] = []
    let ids: string[] = []
    for (const { id, subjects } of open) {
      for (const subject of subjects) {
        if (subject.maxConcurrent === null) continue
        keys.push(slotsKey(subject.id))
        ids.push(id)
      }
      if (keys.length < KEYS_A_CALL) continue
      void this.#renew(keys, ids)
      keys = []
      ids = []
    }
    if (keys.length > 0) void this.#renew(keys, ids)
  }

  #add(claim: Claim, used: Used): void {
    for (const { subject, limit, window } of reservationsOf(claim))
      this.#said.add(subject.id, window, spentOf(limit, used))
  }

  async #renew(keys: readonly string[], ids: readonly string[]): Promise<void> {
    await this.#upkeep(RENEW, keys, [String(this.#leaseMs), ...ids])
  }

  async #raise(sums: readonly SpentSum[]): Promise<void> {
    const keys = sums.map(({ subjectId, window }) => sumKey(subjectId, window))
    const args = sums.flatMap(({ window, spent }) => [
      ...amountArgs(window === QUOTA ? 'quota' : 'budget', spent),
      sumTtl(window),
    ])
    await this.#upkeep(RAISE, keys, args)
  }

  /** What fails is done again soon, or was of no use by then. */
  async #upkeep(...[script, keys, args]: Parameters<Redis['run']>): Promise<void> {
    await this.#redis.run(script, keys, args, UPKEEP_DEADLINE_MS).catch(() => undefined)
  }

  #admitArgs(claim: Claim, { rates, slots, sums }: Layout): string[] {
    const args = [
      claim.id,
      this.process,
      openValue(claim, sums),
      String(this.#leaseMs),
      String(rates.length),
      String(slots.length),
      String(sums.length),
    ]
    for (const { limit, wanted } of rates) args.push(String(limit), String(wanted))
    for (const { maxConcurrent } of slots) args.push(String(maxConcurrent))
    for (const reservation of sums) {
      const { subject, limit, window, amount, most } = reservation
      args.push(...amountArgs(limit, most), ...amountArgs(limit, amount))
      args.push(...amountArgs(limit, knownSpent(subject.used, window)))
      args.push(String(retryAfter(reservation, claim.at) ?? -1), sumTtl(window))
    }
    return args
  }

  #admission({ rates, slots, sums }: Layout, reply: readonly (number | string)[]): Admission {
    const [worst, wait] = reply as [number, number]
    if (worst < 0) throw new Error('the claim was given up before Redis was asked')
    let requests: RateStanding | null = null
    let tokens: RateStanding | null = null
    let at = 2
    for (const { subject, rate, limit } of rates) {
      const level = Number(reply[at++]) / 1000
      this.#said.rate(subject.id, rate, limit, level)
      if (rate === 'requests') requests = tighter(requests, limit, level)
      else tokens = tighter(tokens, limit, level)
    }
    for (const { subject, limit, window } of sums) {
      const [whole, rest] = [reply[at++]!, reply[at++]!]
      const gone = this.#said.sum(subject.id, window, limit === 'quota' ? BigInt(whole) : joined(whole, rest))
      if (gone && performance.now() - this.#remindedAt >= REMIND_MS) this.remind()
    }
    if (worst === 0) return { refusal: null, requests, tokens }
    const retryAfterMs = wait < 0 ? null : wait
    const index = worst - 1
    const rate = rates[index]
    if (rate) return { refusal: { limit: rate.rate, kind: rate.subject.kind, retryAfterMs }, requests, tokens }
    const slot = slots[index - rates.length]
    if (slot) {
      const refusal = { limit: 'concurrency', kind: slot.kind, retryAfterMs: CONCURRENCY_RETRY_MS } as const
      return { refusal, requests, tokens }
    }
    const { limit, subject } = sums[index - rates.length - slots.length]!
    return { refusal: { limit, kind: subject.kind, retryAfterMs }, requests, tokens }
  }
}
