import { Recent } from './recent.ts'
import type { RateLevel, SpentSum } from './store.ts'

const MINUTE_MS = 60_000

interface SaidLevel extends RateLevel {
  readonly at: number
}

/** What was said of subjects that were used lately: twice {@link Said.age}'s interval at most. */
export class Said {
  readonly #sums = new Recent<SpentSum>()
  readonly #rates = new Recent<SaidLevel>()

  /**
   * What was sent meanwhile may not be in it: sums only grow.
   * @returns whether there was something, and now is nothing
   */
  sum(subjectId: string, window: string, spent: bigint): boolean {
    const key = `${subjectId} ${window}`
    const known = this.#sums.get(key)
    const less = known !== undefined && known.spent > spent
    this.#sums.set(key, less ? known : { subjectId, window, spent })
    return less && spent === 0n
  }

  /** What is sent to be added. */
  add(subjectId: string, window: string, spent: bigint): void {
    const key = `${subjectId} ${window}`
    const known = this.#sums.get(key)
    if (known !== undefined) this.#sums.set(key, { subjectId, window, spent: known.spent + spent })
  }

  rate(subjectId: string, rate: RateLevel['rate'], limit: number, level: number): void {
    this.#rates.set(`${subjectId} ${rate}`, { subjectId, rate, limit, level, at: performance.now() })
  }

  age(): void {
    this.#sums.age()
    this.#rates.age()
  }

  /** Rates as they must be by now. */
  all(): { sums: SpentSum[]; rates: RateLevel[] } {
    const now = performance.now()
    return {
      sums: this.#sums.values(),
      rates: this.#rates.values().map(({ subjectId, rate, limit, level, at }) => ({
        subjectId,
        rate,
        limit,
        level: Math.min(limit, level + ((now - at) * limit) / MINUTE_MS),
      })),
    }
  }
}
