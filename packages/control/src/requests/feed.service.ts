/** The feed of requests: what proxies tell of them, to whoever listens at this control process or another. */
import { MAX_LIVE_BATCH, parseLiveEvent, type LiveEvent } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { Bus, type BusCounts } from '../feed/bus.ts'
import { eventId, readEventId, type FeedEvent } from '../feed/event.ts'
import { forgetEnded, Interest, type Wanted } from '../feed/interest.ts'
import { FeedLog } from '../feed/log.ts'
import type { Delivery, Mailbox } from '../feed/mailbox.ts'
import { inPortions } from '../feed/portions.ts'
import { forgetRelayed, Relay } from '../feed/relay.ts'
import { Resumption } from '../feed/resumption.ts'
import { weightOf } from '../feed/weight.ts'
import { badInput } from '../graphql/errors.ts'
import type { SqlCondition } from './conditions.ts'
import { FeedHistory } from './feed.history.ts'

/** Events that may wait for one subscriber. */
const CAPACITY = 1_000

/** Which events a subscriber asks for. */
export interface FeedQuestion {
  /** The same for those who ask the same. */
  readonly key: string
  readonly kinds: Wanted
  readonly wants: (event: FeedEvent) => boolean
  /** What `wants` asks of records, of the database. */
  readonly conditions: readonly SqlCondition[]
}

type Events = AsyncIterableIterator<Delivery<FeedEvent>, undefined>

export class RequestFeed {
  readonly #database: Database
  readonly #log: Logger
  readonly #bus = new Bus<FeedEvent>(weightOf)
  readonly #recent = new FeedLog()
  readonly #interest: Interest
  readonly #relay: Relay
  #resuming = 0

  constructor(database: Database, log: Logger) {
    this.#database = database
    this.#log = log
    const listening = { begin: () => this.#relay.begin(), end: () => this.#relay.end() }
    this.#interest = new Interest(database, listening, log)
    this.#relay = new Relay(database, this.#interest, (event) => void this.#tell(event), log)
  }

  async start(): Promise<void> {
    await this.#relay.start()
    await this.#interest.start()
  }

  async close(): Promise<void> {
    await this.#interest.close()
    await this.#relay.close()
  }

  /** Lost events are those that subscribers, or other control processes, were too slow for. */
  get counts(): BusCounts {
    const { subscribers, dropped } = this.#bus.counts
    return { subscribers: subscribers + this.#resuming, dropped: dropped + this.#relay.lost }
  }

  /** Deletes what control processes have left that have ended. */
  async tidy(): Promise<void> {
    await forgetEnded(this.#database)
    await forgetRelayed(this.#database)
  }

  /** Tells of what this process has taken from a proxy. */
  publish(events: readonly FeedEvent[]): Promise<void> {
    return inPortions(events, (event) => {
      if (this.#tell(event)) this.#relay.offer(event)
    })
  }

  /**
   * Takes what a proxy tells of requests that it is serving. What is malformed is left out.
   * @param values LiveEvents
   * @returns how many were taken
   * @throws GraphQLError BAD_USER_INPUT
   */
  async report(values: readonly unknown[]): Promise<number> {
    if (values.length > MAX_LIVE_BATCH) throw badInput('events', `must be at most ${MAX_LIVE_BATCH}`)
    const events: FeedEvent[] = []
    const reasons: string[] = []
    for (const value of values) {
      try {
        events.push(toEvent(parseLiveEvent(value)))
      } catch (error) {
        reasons.push((error as Error).message)
      }
    }
    if (reasons.length > 0) this.#log.warn({ count: reasons.length, first: reasons[0] }, 'refused live events')
    await this.publish(events)
    return events.length
  }

  /** Whether anybody wants to hear of requests while they are served: at once, and whenever that changes. */
  liveWanted(): Mailbox<boolean> {
    return this.#interest.liveWanted()
  }

  /**
   * What is wanted from now on, or what came since an event and then what comes.
   * @param after the event's id; null: from now on
   * @throws GraphQLError BAD_USER_INPUT where that is no id of an event of the last minutes
   */
  subscribe(question: FeedQuestion, after: string | null): Events {
    return after === null ? this.#listen(question) : this.#resume(question, after)
  }

  #listen({ key, kinds, wants }: FeedQuestion): Mailbox<FeedEvent> {
    const leave = this.#interest.add(kinds)
    return this.#bus.subscribe(CAPACITY, wants, { question: key, onClose: leave })
  }

  #resume(question: FeedQuestion, after: string): Events {
    const { kinds, wants, conditions } = question
    const key = readEventId(after)
    if (key === null) throw badInput('after', 'is not an id of this feed')
    const events = new Resumption(after, key, {
      log: this.#recent,
      history: kinds.records ? new FeedHistory(this.#database, conditions) : null,
      wants,
      subscribe: () => {
        this.#resuming--
        return this.#listen(question)
      },
      isHeard: () => this.#interest.isHeard,
      onClose: (isLive) => {
        if (!isLive) this.#resuming--
        leave()
      },
    })
    const leave = this.#interest.add(kinds)
    this.#resuming++
    return events
  }

  /** @returns whether it was new, and came in its order */
  #tell(event: FeedEvent): boolean {
    if (!this.#recent.add(event, event.kind === 'FINISHED' ? 0 : weightOf(event))) return false
    this.#bus.publish(event)
    return true
  }
}

function toEvent({ kind, at, request }: LiveEvent): FeedEvent {
  return { kind, id: eventId({ time: new Date(), kind, request: request.id }), at: new Date(at), request }
}
