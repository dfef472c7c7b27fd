/** Works that follow one another within this process, in the order in which they came. */

/** Those before took so long that this one was given up; nothing of it was done. */
export class TurnTimeout extends Error {
  override readonly name = 'TurnTimeout'
  constructor() {
    super('too many changes are waiting')
  }
}

export class Turns {
  readonly #timeoutMs: number
  #last: Promise<unknown> = Promise.resolve()

  /** @param timeoutMs how long one may wait for its turn */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /**
   * Runs `work` once those before it are over. Hazard: work that takes another turn waits for itself.
   * @throws TurnTimeout
   */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last
    const { promise: over, resolve: end } = Promise.withResolvers<void>()
    this.#last = before.then(() => over)
    try {
      await this.#waitFor(before)
      return await work()
    } finally {
      end()
    }
  }

  async #waitFor(before: Promise<unknown>): Promise<void> {
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new TurnTimeout()), this.#timeoutMs)
    try {
      await Promise.race([before, late.promise])
    } finally {
      clearTimeout(timer)
    }
  }
}
