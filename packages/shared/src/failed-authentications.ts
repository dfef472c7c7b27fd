import { networkOf, type IpKey } from './ip-address.ts'

/** Failed authentications that an address may make at once, and in each minute after. */
export const MOST_FAILURES = 30
const INTERVAL_MS = 60_000 / MOST_FAILURES
/** Addresses that are counted each by itself. */
const MOST_ADDRESSES = 10_000
/** Between two searches for addresses that need not be counted any more. */
const SWEEP_MS = 1_000
/** Stands for addresses that are not known, and for all that there is no room for. */
const OTHERS = ''

/**
 * Counts failed authentications by address; of IPv6, by network of 64 bits. Only what has failed is ever refused: whoever
 * has a valid key is served from any address.
 *
 * An address is forgotten only once it has nothing left that could be held against it. While there is no room, new ones
 * share one count: making many addresses fail frees none of them.
 */
export class FailedAuthentications {
  /** When an address may fail at full count again, in milliseconds. */
  private readonly freeAt = new Map<string, number>()
  private sweptAt = -Infinity

  /**
   * Counts one more, unless there were too many.
   * @param address null: not known
   * @param now milliseconds, of a clock that is never set back
   * @returns 0; of too many, after how many milliseconds to try again
   */
  waitMs(address: IpKey | null, now: number): number {
    const key = this.keyOf(address, now)
    const freeAt = Math.max(this.freeAt.get(key) ?? 0, now) + INTERVAL_MS
    const waitMs = freeAt - now - MOST_FAILURES * INTERVAL_MS
    if (waitMs > 0) return waitMs
    this.freeAt.set(key, freeAt)
    return 0
  }

  private keyOf(address: IpKey | null, now: number): string {
    if (address === null) return OTHERS
    const key = networkOf(address)
    if (this.freeAt.size >= MOST_ADDRESSES && !this.freeAt.has(key)) this.sweep(now)
    return this.freeAt.size < MOST_ADDRESSES || this.freeAt.has(key) ? key : OTHERS
  }

  private sweep(now: number): void {
    if (now - this.sweptAt < SWEEP_MS) return
    this.sweptAt = now
    for (const [key, freeAt] of this.freeAt) if (freeAt <= now) this.freeAt.delete(key)
  }
}
