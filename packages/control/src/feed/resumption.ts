/**
 * A subscription that begins where another one ended: first what came since, then what comes. What came is read in pages,
 * out of this process's log in its order, and out of the database, by when it was stored, what the log doesn't know.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { badInput } from '../graphql/errors.ts'
import { eventName, nameOf, type EventKey, type FeedEvent } from './event.ts'
import type { FeedLog, LogEntry } from './log.ts'
import { DONE, type Delivery, type Mailbox } from './mailbox.ts'

/** How long ago an event may have been for a subscription to begin with it. */
export const WINDOW_MS = 600_000
/**
 * Longer than a statement may take that stores records: one that was stored so long before another, by the database's clock,
 * was visible before it. So much may be told twice where the log doesn't know what was told.
 */
const LATEST_MS = 10_000
/** A clock may be ahead of this process's. */
const MOST_AHEAD_MS = 60_000
/** Events that are loaded at once. */
const PORTION = 64
const LOG_PAGE = 200
/** Of how many events told it is remembered that they were. */
const MOST_REMEMBERED = 4_000
const RETRY_MS = 50

/** A stored record, as the feed's order has it. */
export interface StoredKey {
  readonly id: string
  readonly startedAt: string
}

/** A page of stored records, in the order of their events' ids. */
export interface StoredPage {
  /** Those that are wanted. `id` is the event's. */
  readonly keys: readonly StoredKey[]
  /** The event's id of the last that was read, wanted or not; null: there was none. */
  readonly last: string | null
  /** Whether there may be more after it. */
  readonly isFull: boolean
}

/** What is stored. */
export interface History {
  /** @param after an event's id, of a record that need not be there */
  page(after: string): Promise<StoredPage>
  /** Their events; of those that are not there any more, none. */
  load(keys: readonly StoredKey[]): Promise<ReadonlyMap<string, FeedEvent>>
}

export interface ResumptionOptions {
  readonly log: FeedLog
  /** Null: no records are wanted. */
  readonly history: History | null
  readonly wants: (event: FeedEvent) => boolean
  /** Begins to listen. */
  readonly subscribe: () => Mailbox<FeedEvent>
  /** Whether from now on all that is stored anywhere is heard of. */
  readonly isHeard: () => boolean
  /** Called once, when nothing more is wanted. @param isLive whether it had begun to listen */
  readonly onClose: (isLive: boolean) => void
}

type Result = IteratorResult<Delivery<FeedEvent>, undefined>

export class Resumption implements AsyncIterableIterator<Delivery<FeedEvent>, undefined> {
  readonly #options: ResumptionOptions
  /** The last event that was told. */
  #reached: string
  /** The number of the log's entry that comes next. */
  #number: number
  #entries: LogEntry[] = []
  readonly #floor: string
  /** The id after which stored records are to be read; null: they were read to their end. */
  #after: string | null
  #stored: StoredKey[] = []
  /** The last stored record that was read, wanted or not. */
  #passed: string
  #page: FeedEvent[] = []
  /** Names of events that were told, which may come again by another way. */
  readonly #told = new Set<string>()
  /** When they need not be remembered any more. */
  #forgetAt = Infinity
  #mailbox: Mailbox<FeedEvent> | null = null
  #dropped = 0
  #closed = false

  /** @throws GraphQLError BAD_USER_INPUT where the event is older than the window */
  constructor(after: string, key: EventKey, options: ResumptionOptions) {
    this.#options = options
    const { log, history } = options
    requireWindow(key)
    const known = log.find(after)
    const earliest = new Date(key.time.getTime() - LATEST_MS)
    this.#reached = after
    this.#number = known === null ? log.since(earliest) : known + 1
    this.#floor = firstId(earliest)
    this.#passed = this.#floor
    this.#after = history && this.#floor
  }

  async next(): Promise<Result> {
    for (;;) {
      if (this.#closed) return DONE
      const event = this.#page.shift()
      if (event !== undefined) return this.#deliver(event, 0)
      if (this.#mailbox && this.#after === null && this.#stored.length === 0) return this.#fromMailbox(this.#mailbox)
      await this.#advance()
    }
  }

  async return(): Promise<Result> {
    if (!this.#closed) {
      this.#closed = true
      await this.#mailbox?.return()
      this.#options.onClose(this.#mailbox !== null)
    }
    return DONE
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #fromMailbox(mailbox: Mailbox<FeedEvent>): Promise<Result> {
    for (;;) {
      const result = await mailbox.next()
      if (result.done) return result
      const { message, dropped } = result.value
      this.#dropped += dropped
      if (performance.now() > this.#forgetAt) this.#told.clear()
      if (!this.#told.has(nameOf(message.id))) return this.#deliver(message, this.#dropped)
    }
  }

  #deliver(message: FeedEvent, dropped: number): Result {
    this.#dropped = 0
    this.#reached = message.id
    return { done: false, value: { message, dropped } }
  }

  async #advance(): Promise<void> {
    const { log, history, isHeard } = this.#options
    if (!this.#mailbox) this.#readLog()
    if (history && this.#after !== null && this.#stored.length === 0) await this.#readStored(history, this.#after)
    const picked = this.#pick()
    if (picked.length > 0) {
      this.#page = await this.#load(picked)
      return
    }
    if (this.#closed || this.#mailbox || this.#after !== null || this.#number < log.head) return
    if (history && !isHeard()) {
      await sleep(RETRY_MS)
      this.#after = this.#passed
      return
    }
    this.#goLive()
  }

  /** What is published from now on comes by the mailbox; what was stored in the last moments and was not visible yet is looked for. */
  #goLive(): void {
    this.#mailbox = this.#options.subscribe()
    this.#forgetAt = performance.now() + LATEST_MS
    if (this.#options.history === null) return
    const earliest = firstId(new Date(timeOf(this.#passed) - LATEST_MS))
    this.#after = earliest > this.#floor ? earliest : this.#floor
  }

  #readLog(): void {
    if (this.#entries.length > 0) return
    const { log, history } = this.#options
    if (log.first > this.#number) {
      // It has let go of what was still to come: the records among that are stored.
      requireWindow({ time: new Date(timeOf(this.#reached)) })
      this.#number = log.first
      this.#stored = []
      if (history) this.#after = firstId(new Date(timeOf(this.#reached) - LATEST_MS))
    }
    this.#entries = [...log.from(this.#number, LOG_PAGE)]
  }

  async #readStored(history: History, after: string): Promise<void> {
    const { keys, last, isFull } = await history.page(after)
    const { log } = this.#options
    this.#stored = keys.filter(({ id }) => log.find(id) === null && !this.#told.has(nameOf(id)))
    if (last !== null) this.#passed = last
    this.#after = isFull ? last : null
  }

  /** The next of what was read, in the order of their ids as far as the log's own order leaves that open. */
  #pick(): (LogEntry | StoredKey)[] {
    const { log } = this.#options
    const picked: (LogEntry | StoredKey)[] = []
    while (picked.length < PORTION) {
      const [entry] = this.#entries
      const [stored] = this.#stored
      if (stored === undefined && this.#after !== null) break
      if (entry === undefined && !this.#mailbox && this.#number < log.head) break
      if (entry !== undefined && (stored === undefined || entry.id < stored.id)) {
        this.#entries.shift()
        this.#number++
        if (!this.#told.has(nameOf(entry.id))) picked.push(entry)
      } else if (stored !== undefined) {
        this.#stored.shift()
        this.#remember(stored.id)
        picked.push(stored)
      } else break
    }
    return picked
  }

  #remember(id: string): void {
    this.#told.add(nameOf(id))
    if (this.#told.size > MOST_REMEMBERED) this.#told.delete(this.#told.values().next().value!)
  }

  async #load(picked: readonly (LogEntry | StoredKey)[]): Promise<FeedEvent[]> {
    const { history, wants } = this.#options
    const keys = picked.filter((one): one is StoredKey => one.startedAt !== null)
    const loaded = keys.length > 0 && history ? await history.load(keys) : null
    const events = picked.map((one) => ('event' in one && one.event) || loaded?.get(one.id))
    return events.filter((event) => event !== undefined && wants(event)) as FeedEvent[]
  }
}

/** @throws GraphQLError BAD_USER_INPUT */
function requireWindow({ time }: Pick<EventKey, 'time'>): void {
  const age = Date.now() - time.getTime()
  if (age > WINDOW_MS) throw badInput('after', `is of more than ${WINDOW_MS / 60_000} minutes ago`)
  if (age < -MOST_AHEAD_MS) throw badInput('after', 'is not an id of this feed')
}

const NIL = '00000000-0000-0000-0000-000000000000'

/** No id of that time, or of a later one, comes before it. */
function firstId(time: Date): string {
  return `${Math.max(0, time.getTime()).toString(16).padStart(12, '0')}-${eventName('STARTED', NIL)}`
}

function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 12), 16)
}
