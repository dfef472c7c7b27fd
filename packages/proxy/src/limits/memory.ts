import { Account, type Sum } from './account.ts'
import type { Journal } from './journal.ts'
import type { LostClaim } from './lost.ts'
import { Bucket, tighter, waitFor } from './rates.ts'
import type {
  Admission,
  Claim,
  LimitedSubject,
  LimitName,
  LocalLimits,
  RateLevel,
  RateStanding,
  Refusal,
  SpentSum,
  Used,
} from './store.ts'
import { isOver, knownSpent, reservationsOf, retryAfter, spentOf, type Reservation } from './sums.ts'

/** When a place is likely to be free again: nobody knows. */
export const CONCURRENCY_RETRY_MS = 1_000

/** A claim that was admitted and is not settled. */
export interface HeldClaim {
  readonly claim: Claim
  readonly accounts: readonly Account[]
  readonly reservations: readonly Reservation[]
  /** Those that {@link reservations} are of. */
  readonly sums: readonly Sum[]
  /** Whether Redis has admitted it, and has the word on what becomes of it. */
  readonly assumed: boolean
}

/** Accounts that one sweep looks at: some 100 µs. */
const SWEPT = 1_000

/** Limits counted in this process, exactly and without a promise. What must outlive it is written to the journal first. */
export class MemoryLimits implements LocalLimits {
  readonly #accounts = new Map<string, Account>()
  readonly #held = new Map<string, HeldClaim>()
  readonly #journal: Journal | null
  readonly #now: () => number
  #sweeping: MapIterator<Account> | null = null

  /** @param now milliseconds of a clock that only goes forward */
  constructor(journal: Journal | null, now: () => number = performance.now.bind(performance)) {
    this.#journal = journal
    this.#now = now
  }

  /** Subjects that are remembered. */
  get size(): number {
    return this.#accounts.size
  }

  admit(claim: Claim): Admission {
    const held = this.#prepare(claim, false)
    const refusal = refusalOf(held)
    if (refusal === null) {
      this.#take(held)
      if (held.sums.length > 0) this.#journal?.claimed(claim, held.reservations)
    }
    return standings(held, refusal)
  }

  /** @param claim only its id is looked at */
  settle({ id }: Pick<Claim, 'id'>, used: Used): void {
    const held = this.#held.get(id)
    if (held === undefined) return
    this.#release(held)
    const { claim, accounts, reservations, sums } = held
    const now = this.#now()
    for (const { requests, tokens } of accounts) {
      if (requests !== null && !used.counted) requests.give(1, now)
      tokens?.give(claim.tokens - used.tokens, now)
    }
    for (let i = 0; i < sums.length; i++) sums[i]!.spent += spentOf(reservations[i]!.limit, used)
    if (held.assumed) this.#journal?.sums(sums)
    else if (sums.length > 0) this.#journal?.settled(claim.id, reservations, used)
  }

  raise(known: readonly SpentSum[]): void {
    const raised: Sum[] = []
    for (const { subjectId, window, spent } of known) {
      const sum = this.#account(subjectId).sum(window)
      if (sum.spent >= spent) continue
      sum.spent = spent
      raised.push(sum)
    }
    this.#journal?.sums(raised)
  }

  assume(open: readonly Claim[], sums: readonly SpentSum[], rates: readonly RateLevel[]): void {
    for (const claim of open) if (!this.#held.has(claim.id)) this.#hold(this.#prepare(claim, true))
    this.raise(sums)
    const now = this.#now()
    for (const { subjectId, rate, limit, level } of rates) {
      const account = this.#account(subjectId)
      const bucket = (account[rate] ??= new Bucket(limit, now))
      bucket.refill(limit, now)
      bucket.level = Math.min(bucket.level, level)
    }
  }

  /**
   * Who served a claim has ended, and can't settle it any more: what it reserved counts in full.
   * @returns what the journal sees recorded; null where the claim is none of ours, or must not outlive its process
   */
  lose(id: string): LostClaim | null {
    const held = this.#held.get(id)
    if (held === undefined) return null
    this.#release(held)
    const { claim, reservations, sums } = held
    for (let i = 0; i < sums.length; i++) sums[i]!.spent += reservations[i]!.amount
    if (held.assumed || sums.length === 0) return null
    this.#journal?.lost(claim)
    return claim
  }

  /** Adds what was lost with another process. */
  add(subjectId: string, window: string, amount: bigint): void {
    this.#account(subjectId).sum(window).spent += amount
  }

  /** Every sum there is. May be iterated while they change. */
  *sums(): Generator<Sum> {
    for (const account of this.#accounts.values()) yield* account.sums
  }

  held(): Iterable<HeldClaim> {
    return this.#held.values()
  }

  /** Forgets some of what nobody uses any more; called now and then. */
  sweep(): void {
    this.#sweeping ??= this.#accounts.values()
    const now = this.#now()
    for (let i = 0; i < SWEPT; i++) {
      const { value: account, done } = this.#sweeping.next()
      if (done) {
        this.#sweeping = null
        return
      }
      if (account.isIdle(now)) this.#accounts.delete(account.id)
    }
  }

  #account(id: string): Account {
    let account = this.#accounts.get(id)
    if (account === undefined) {
      account = new Account(id, this.#now())
      this.#accounts.set(id, account)
    }
    return account
  }

  /** Finds what a claim is about, brought up to date. */
  #prepare(claim: Claim, assumed: boolean): HeldClaim {
    const now = this.#now()
    const accounts: Account[] = []
    for (const subject of claim.subjects) {
      const account = this.#account(subject.id)
      account.update(subject, now)
      accounts.push(account)
    }
    const reservations = reservationsOf(claim)
    const sums: Sum[] = []
    for (const { subject, window } of reservations) {
      const sum = this.#account(subject.id).sum(window)
      if (sum.known !== subject.used) {
        sum.known = subject.used
        const spent = knownSpent(subject.used, window)
        if (spent > sum.spent) {
          sum.spent = spent
          this.#journal?.sums([sum])
        }
      }
      sums.push(sum)
    }
    return { claim, accounts, reservations, sums, assumed }
  }

  #take(held: HeldClaim): void {
    for (const { requests, tokens } of held.accounts) {
      if (requests !== null) requests.level--
      if (tokens !== null) tokens.level -= held.claim.tokens
    }
    this.#hold(held)
  }

  #hold(held: HeldClaim): void {
    for (const account of held.accounts) account.active++
    for (let i = 0; i < held.sums.length; i++) held.sums[i]!.reserved += held.reservations[i]!.amount
    this.#held.set(held.claim.id, held)
  }

  #release(held: HeldClaim): void {
    this.#held.delete(held.claim.id)
    for (const account of held.accounts) account.active--
    for (let i = 0; i < held.sums.length; i++) held.sums[i]!.reserved -= held.reservations[i]!.amount
  }
}

function refusalOf({ claim, accounts, reservations, sums }: HeldClaim): Refusal | null {
  let worst: Refusal | null = null
  for (let i = 0; i < sums.length; i++) {
    const reservation = reservations[i]!
    if (!isOver(sums[i]!.spent, sums[i]!.reserved, reservation)) continue
    worst = longer(worst, reservation.limit, reservation.subject, retryAfter(reservation, claim.at))
  }
  for (let i = 0; i < accounts.length; i++) {
    const { requests, tokens, active } = accounts[i]!
    const subject = claim.subjects[i]!
    const requestsMs = requests && waitFor(1, requests.limit, requests.level)
    if (requestsMs) worst = longer(worst, 'requests', subject, requestsMs)
    const tokensMs = tokens === null ? 0 : waitFor(claim.tokens, tokens.limit, tokens.level)
    if (tokensMs !== 0) worst = longer(worst, 'tokens', subject, tokensMs)
    if (active >= (subject.maxConcurrent ?? Infinity))
      worst = longer(worst, 'concurrency', subject, CONCURRENCY_RETRY_MS)
  }
  return worst
}

function longer(
  worst: Refusal | null,
  limit: LimitName,
  { kind }: LimitedSubject,
  retryAfterMs: number | null,
): Refusal {
  if (worst !== null && (worst.retryAfterMs ?? Infinity) >= (retryAfterMs ?? Infinity)) return worst
  return { limit, kind, retryAfterMs }
}

function standings({ accounts }: HeldClaim, refusal: Refusal | null): Admission {
  let requests: RateStanding | null = null
  let tokens: RateStanding | null = null
  for (const account of accounts) {
    if (account.requests !== null) requests = tighter(requests, account.requests.limit, account.requests.level)
    if (account.tokens !== null) tokens = tighter(tokens, account.tokens.limit, account.tokens.level)
  }
  return { refusal, requests, tokens }
}
