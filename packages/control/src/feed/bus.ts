/** Hands each message to every subscriber that wants it. Publishing never waits, and nobody slows anybody else. */
import { Mailbox } from './mailbox.ts'

export class Bus<T> {
  readonly #subscribers = new Map<Mailbox<T>, (message: T) => boolean>()

  /** How many listen. */
  get size(): number {
    return this.#subscribers.size
  }

  publish(message: T): void {
    for (const [mailbox, wants] of this.#subscribers) if (wants(message)) mailbox.post(message)
  }

  /**
   * Everything that is published from now on and wanted, until the iterator's `return`.
   * @param capacity how many may wait; of more, the oldest are dropped and counted
   */
  subscribe(capacity: number, wants: (message: T) => boolean = () => true): Mailbox<T> {
    const mailbox: Mailbox<T> = new Mailbox(capacity, () => this.#subscribers.delete(mailbox))
    this.#subscribers.set(mailbox, wants)
    return mailbox
  }
}
