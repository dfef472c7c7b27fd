/** What waits for one subscriber: bounded, the oldest goes first. Whoever posts is never held up. */

/** A message, and how many before it were lost because the subscriber was slow. */
export interface Delivery<T> {
  readonly message: T
  readonly dropped: number
}

/** How much may wait. */
export interface MailboxOptions {
  readonly capacity: number
  /** By the messages' weights; a message that is alone may weigh more. */
  readonly maxBytes: number
  /** Called once, when nothing more is wanted. */
  readonly onClose: () => void
  /** Called for each message that is lost. */
  readonly onDrop: () => void
}

interface Waiting<T> {
  readonly message: T
  readonly bytes: number
}

type Result<T> = IteratorResult<Delivery<T>, undefined>

export const DONE = { done: true, value: undefined } as const

/**
 * An iterator with its own `return`: an async generator's `finally` would not run while it waits,
 * and a subscriber that goes is mostly waiting.
 */
export class Mailbox<T> implements AsyncIterableIterator<Delivery<T>, undefined> {
  readonly #options: MailboxOptions
  readonly #messages: Waiting<T>[] = []
  readonly #waiting: ((result: Result<T>) => void)[] = []
  #bytes = 0
  #dropped = 0
  #closed = false

  constructor(options: MailboxOptions) {
    this.#options = options
  }

  /** @param bytes what the message weighs */
  post(message: T, bytes = 0): void {
    if (this.#closed) return
    const receive = this.#waiting.shift()
    if (receive) {
      receive(this.#deliver(message))
      return
    }
    const { capacity, maxBytes } = this.#options
    const messages = this.#messages
    while (messages.length > 0 && (messages.length >= capacity || this.#bytes + bytes > maxBytes)) this.#drop()
    messages.push({ message, bytes })
    this.#bytes += bytes
  }

  next(): Promise<Result<T>> {
    const waited = this.#take()
    if (waited !== undefined) return Promise.resolve(this.#deliver(waited.message))
    if (this.#closed) return Promise.resolve(DONE)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<Result<T>> {
    if (!this.#closed) {
      this.#closed = true
      this.#messages.length = 0
      this.#options.onClose()
      for (const receive of this.#waiting.splice(0)) receive(DONE)
    }
    return Promise.resolve(DONE)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #take(): Waiting<T> | undefined {
    const waited = this.#messages.shift()
    if (waited !== undefined) this.#bytes -= waited.bytes
    return waited
  }

  #drop(): void {
    this.#take()
    this.#dropped++
    this.#options.onDrop()
  }

  #deliver(message: T): Result<T> {
    const dropped = this.#dropped
    this.#dropped = 0
    return { done: false, value: { message, dropped } }
  }
}
