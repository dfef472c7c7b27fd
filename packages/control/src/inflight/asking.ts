/** One question, and what proxies have answered until now. */
import type { InFlight, ProviderTestOutcome } from '@millrace/shared'

/** What a process of a proxy has answered. */
export interface Answer {
  readonly proxy: string
  readonly process: string
  /** How many the proxy has. */
  readonly processes: number
  readonly cancelled: boolean
  readonly inFlight: readonly InFlight[]
  /** Null: it was not to try any provider. */
  readonly test: ProviderTestOutcome | null
}

export class Asking {
  /** Resolves when there is nothing more to wait for. */
  readonly over: Promise<void>
  /** Nobody is waited for any more. */
  readonly end: () => void
  readonly #isEnough: (answer: Answer) => boolean
  /** By the process. What it has told first stands. */
  readonly #answers = new Map<string, Answer>()
  /** By the proxy, of those that have answered at all: how many of its processes have not. */
  readonly #missing = new Map<string, number>()
  /** Null: it is not known yet who is to answer. */
  #asked: readonly string[] | null = null
  #enough = false

  /** @param isEnough whether with this answer, nobody else need be waited for */
  constructor(isEnough: (answer: Answer) => boolean) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.over = promise
    this.end = resolve
    this.#isEnough = isEnough
  }

  /** Whether one has said enough. */
  get hasEnough(): boolean {
    return this.#enough
  }

  get answers(): Answer[] {
    return [...this.#answers.values()]
  }

  /** The proxies of which not all processes have answered. */
  get silent(): string[] {
    return (this.#asked ?? []).filter((proxy) => (this.#missing.get(proxy) ?? 1) > 0)
  }

  /** @param proxies that are to answer, each with all of its processes */
  waitFor(proxies: readonly string[]): void {
    this.#asked = proxies
    this.#look()
  }

  take(answer: Answer): void {
    const { proxy, process, processes } = answer
    if (this.#answers.has(process)) return
    this.#answers.set(process, answer)
    this.#missing.set(proxy, (this.#missing.get(proxy) ?? processes) - 1)
    this.#enough ||= this.#isEnough(answer)
    if (this.#enough) this.end()
    else this.#look()
  }

  #look(): void {
    if (this.#asked !== null && this.silent.length === 0) this.end()
  }
}
