/** Works of which only so many are done at once, so that they leave connections to others. */

/** Too many waited already; nothing of this one was done. */
export class NoPlace extends Error {
  override readonly name = 'NoPlace'
  constructor() {
    super('too many are waiting')
  }
}

export class Places {
  readonly #mostWaiting: number
  readonly #waiting: (() => void)[] = []
  #free: number

  /** @param count of works that are done at once */
  constructor(count: number, mostWaiting: number) {
    this.#free = count
    this.#mostWaiting = mostWaiting
  }

  /**
   * Runs `work` once there is a place, in the order in which they came.
   * @throws NoPlace
   */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await this.#wait()
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }

  async #wait(): Promise<void> {
    if (this.#waiting.length >= this.#mostWaiting) throw new NoPlace()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    await promise
  }
}
