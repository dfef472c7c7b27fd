import type { RateLevel, SpentSum } from './store.ts'

const MINUTE_MS = 60_000

interface SaidLevel extends RateLevel {
  readonly at: number
}

/** What was said of subjects that were used lately: twice {@link Said.age}'s interval at most. */
export class Said {
  #sums = new Map<string, SpentSum>()
  #earlierSums = new Map<string, SpentSum>()
  #rates = new Map<string, SaidLevel>()
  #earlierRates = new Map<string, SaidLevel>()

  /**
   * What was sent meanwhile may not be in it: sums only grow.
   * @returns whether there was something, and now is nothing
   */
  sum(subjectId: string, window: string, spent: bigint): boolean {
    const key = `${subjectId} ${window}`
    const known = this.#known(key)
    const less = known !== undefined && known.spent > spent
    this.#sums.set(key, less ? known : { subjectId, window, spent })
    return less && spent === 0n
  }

  /** What is sent to be added. */
  add(subjectId: string, window: string, spent: bigint): void {
    const key = `${subjectId} ${window}`
    const known = this.#known(key)
    if (known !== undefined) this.#sums.set(key, { subjectId, window, spent: known.spent + spent })
  }

  #known(key: string): SpentSum | undefined {
    return this.#sums.get(key) ?? this.#earlierSums.get(key)
  }

  rate(subjectId: string, rate: RateLevel['rate'], limit: number, level: number): void {
    this.#rates.set(`${subjectId} ${rate}`, { subjectId, rate, limit, level, at: performance.now() })
  }

  age(): void {
    this.#earlierSums = this.#sums
    this.#sums = new Map()
    this.#earlierRates = this.#rates
    this.#rates = new Map()
  }

  /** Rates as they must be by now. */
  all(): { sums: SpentSum[]; rates: RateLevel[] } {
    const now = performance.now()
    const rates = new Map([...this.#earlierRates, ...this.#rates])
    return {
      sums: [...new Map([...this.#earlierSums, ...this.#sums]).values()],
      rates: [...rates.values()].map(({ subjectId, rate, limit, level, at }) => ({
        subjectId,
        rate,
        limit,
        level: Math.min(limit, level + ((now - at) * limit) / MINUTE_MS),
      })),
    }
  }
}
