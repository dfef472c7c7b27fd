/** What waits for one subscriber: bounded, the oldest goes first. Whoever posts is never held up. */

/** A message, and how many before it were lost because the subscriber was slow. */
export interface Delivery<T> {
  readonly message: T
  readonly dropped: number
}

type Result<T> = IteratorResult<Delivery<T>, undefined>

const DONE = { done: true, value: undefined } as const

/**
 * An iterator with its own `return`: an async generator's `finally` would not run while it waits,
 * and a subscriber that goes is mostly waiting.
 */
export class Mailbox<T> implements AsyncIterableIterator<Delivery<T>, undefined> {
  readonly #capacity: number
  readonly #onClose: () => void
  readonly #messages: T[] = []
  readonly #waiting: ((result: Result<T>) => void)[] = []
  #dropped = 0
  #closed = false

  /** @param onClose called once, when nothing more is wanted */
  constructor(capacity: number, onClose: () => void) {
    this.#capacity = capacity
    this.#onClose = onClose
  }

  post(message: T): void {
    if (this.#closed) return
    const receive = this.#waiting.shift()
    if (receive) {
      receive(this.#deliver(message))
      return
    }
    if (this.#messages.length === this.#capacity) {
      this.#messages.shift()
      this.#dropped++
    }
    this.#messages.push(message)
  }

  next(): Promise<Result<T>> {
    const message = this.#messages.shift()
    if (message !== undefined) return Promise.resolve(this.#deliver(message))
    if (this.#closed) return Promise.resolve(DONE)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<Result<T>> {
    if (!this.#closed) {
      this.#closed = true
      this.#messages.length = 0
      this.#onClose()
      for (const receive of this.#waiting.splice(0)) receive(DONE)
    }
    return Promise.resolve(DONE)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #deliver(message: T): Result<T> {
    const dropped = this.#dropped
    this.#dropped = 0
    return { done: false, value: { message, dropped } }
  }
}
