/** Hands each message to every subscriber that wants it. Publishing never waits, and nobody slows anybody else. */
import { Mailbox } from './mailbox.ts'

/** What may wait for one subscriber, in memory: with what is on its way to the socket it stays under 1 MB. */
const MAX_BYTES = 768 * 1024

/** Those who ask for the same. */
interface Group<T> {
  readonly wants: (message: T) => boolean
  readonly mailboxes: Set<Mailbox<T>>
}

export interface SubscriptionOptions {
  /** By what those are known who want the same: of them, one is asked. Absent: nobody else does. */
  readonly question?: unknown
  /** Called once, when nothing more is wanted. */
  readonly onClose?: () => void
}

/** What subscribers of a bus have had to lose. */
export interface BusCounts {
  /** How many listen now. */
  readonly subscribers: number
  /** Messages that one of them was too slow to receive, since the start. */
  readonly dropped: number
}

export class Bus<T> {
  readonly #groups = new Map<unknown, Group<T>>()
  readonly #weigh: (message: T) => number
  #size = 0
  #dropped = 0

  /** @param weigh what a message takes in memory; asked once a message, if anybody wants it */
  constructor(weigh: (message: T) => number = () => 0) {
    this.#weigh = weigh
  }

  /** How many listen. */
  get size(): number {
    return this.#size
  }

  get counts(): BusCounts {
    return { subscribers: this.#size, dropped: this.#dropped }
  }

  publish(message: T): void {
    let bytes: number | null = null
    for (const { wants, mailboxes } of this.#groups.values()) {
      if (!wants(message)) continue
      bytes ??= this.#weigh(message)
      for (const mailbox of mailboxes) mailbox.post(message, bytes)
    }
  }

  /**
   * Everything that is published from now on and wanted, until the iterator's `return`.
   * @param capacity how many may wait; of more, the oldest are dropped and counted
   */
  subscribe(
    capacity: number,
    wants: (message: T) => boolean = () => true,
    { question = Symbol(), onClose }: SubscriptionOptions = {},
  ): Mailbox<T> {
    let group = this.#groups.get(question)
    if (group === undefined) this.#groups.set(question, (group = { wants, mailboxes: new Set() }))
    const { mailboxes } = group
    const mailbox: Mailbox<T> = new Mailbox({
      capacity,
      maxBytes: MAX_BYTES,
      onDrop: () => this.#dropped++,
      onClose: () => {
        this.#size--
        mailboxes.delete(mailbox)
        if (mailboxes.size === 0) this.#groups.delete(question)
        onClose?.()
      },
    })
    this.#size++
    mailboxes.add(mailbox)
    return mailbox
  }
}
