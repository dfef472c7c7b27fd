/** Hands events on between control processes: what one takes, those hear who listen at another. */
import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { Watch } from '../db/watch.ts'
import type { FeedEvent } from './event.ts'
import type { Interest } from './interest.ts'
import { Outbox } from './outbox.ts'
import { inPortions } from './portions.ts'

const CHANNEL = 'millrace_feed'
/** In case a notification was lost. */
const POLL_MS = 500
/** Events of so many milliseconds go together. */
const GATHER_MS = 15
/** Batches read at once; each may have a megabyte. */
const PAGE = 4
/** What a process has written is there for so long, as long as it is not too much. */
const KEEP_MS = 10_000
const KEEP_BYTES = 16 * 1024 * 1024

const WRITE = `
  with trimmed as (delete from feed_relay where origin_id = ? and number <= ?),
    written as (insert into feed_relay (origin_id, number, first, events) values (?, ?, ?, ?))
  select pg_notify('${CHANNEL}', '')`

const READ = `
  select relay.origin_id as origin, relay.number::text, relay.first::text, relay.events
  from feed_relay as relay
  left join jsonb_to_recordset(?::jsonb) as known (origin uuid, number bigint) on known.origin = relay.origin_id
  where relay.origin_id <> ? and relay.number > coalesce(known.number, 0)
  order by relay.at, relay.origin_id, relay.number limit ?`

/** Of each other process, the last batch that is there. */
const LOCATE = `
  select distinct on (origin_id) origin_id as origin, number::text, first::text, events
  from feed_relay where origin_id <> ? order by origin_id, number desc`

interface Row {
  readonly origin: string
  readonly number: string
  readonly first: string
  readonly events: string
}

/** How far an origin was read: its last batch, and how many events it had had with that. */
interface Position {
  readonly number: number
  readonly events: number
}

interface Written {
  readonly number: number
  readonly at: number
  readonly bytes: number
}

export class Relay {
  readonly #database: Database
  readonly #interest: Interest
  readonly #tell: (event: FeedEvent) => void
  readonly #log: Logger
  readonly #watch: Watch
  readonly #outbox = new Outbox()
  #sending: Promise<void> | null = null
  #number = 0
  /** Its own batches that are still in the table. */
  #written: Written[] = []
  /** Null as long as nobody listens here. */
  #positions: Map<string, Position> | null = null
  #missed = 0

  /** @param tell is given each event of another process */
  constructor(database: Database, interest: Interest, tell: (event: FeedEvent) => void, log: Logger) {
    this.#database = database
    this.#interest = interest
    this.#tell = tell
    this.#log = log
    const options = { channel: CHANNEL, what: "other control processes' events", pollMs: POLL_MS, restMs: 0 }
    this.#watch = new Watch(database, () => this.#look(), options, log)
  }

  start(): Promise<void> {
    return this.#watch.start()
  }

  async close(): Promise<void> {
    await this.#sending
    await this.#watch.close()
  }

  /** Events that processes lost on their way to each other: one wrote too slowly, or this one read too slowly. */
  get lost(): number {
    return this.#outbox.lost + this.#missed
  }

  /** Takes an event of this process, if others want it. */
  offer(event: FeedEvent): void {
    const { records, live } = this.#interest.others
    if (!(event.kind === 'FINISHED' ? records : live)) return
    this.#outbox.add(event)
    this.#sending ??= this.#send()
  }

  /** From now on, what others write is read, until {@link end}. */
  async begin(): Promise<void> {
    const rows = await this.#database.em().execute<Row[]>(LOCATE, [this.#interest.process])
    this.#positions = new Map(rows.map((row) => [row.origin, positionAfter(row, eventsOf(row).length)]))
  }

  end(): void {
    this.#positions = null
  }

  async #send(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS))
    try {
      for (let batch = this.#outbox.take(); batch !== null; batch = this.#outbox.take()) {
        const { process } = this.#interest
        const number = ++this.#number
        await this.#database
          .em()
          .execute(WRITE, [process, this.#trimmable(), process, number, batch.first, batch.events])
        this.#written.push({ number, at: performance.now(), bytes: batch.events.length })
      }
    } catch (error) {
      // The batch is lost, and its readers count it by the next one.
      this.#log.warn({ reason: (error as Error).message }, 'cannot hand events on to other control processes')
    } finally {
      this.#sending = null
    }
  }

  /** The number of the last of its own batches that nobody needs any more. */
  #trimmable(): number {
    const oldest = performance.now() - KEEP_MS
    let bytes = this.#written.reduce((sum, batch) => sum + batch.bytes, 0)
    let last = 0
    while (this.#written.length > 0 && (this.#written[0]!.at < oldest || bytes > KEEP_BYTES)) {
      const batch = this.#written.shift()!
      bytes -= batch.bytes
      last = batch.number
    }
    return last
  }

  async #look(): Promise<void> {
    for (let rows = PAGE; rows === PAGE && this.#positions !== null;) rows = await this.#read(this.#positions)
  }

  /** @returns how many batches there were */
  async #read(positions: Map<string, Position>): Promise<number> {
    const known = Array.from(positions, ([origin, { number }]) => ({ origin, number }))
    const rows = await this.#database.em().execute<Row[]>(READ, [JSON.stringify(known), this.#interest.process, PAGE])
    for (const row of rows) {
      const events = eventsOf(row)
      const before = positions.get(row.origin)
      const missed = before === undefined ? 0 : Number(row.first) - before.events
      if (missed > 0) this.#log.warn({ missed }, "lost other control processes' events")
      this.#missed += Math.max(0, missed)
      positions.set(row.origin, positionAfter(row, events.length))
      await inPortions(events, (event) => this.#tell({ ...event, at: new Date(event.at) }))
    }
    return rows.length
  }
}

/** Forgets what processes have written that write nothing any more. */
export async function forgetRelayed(database: Database): Promise<void> {
  await database.em().execute("delete from feed_relay where at < clock_timestamp() - interval '1 minute'")
}

function eventsOf({ events }: Row): readonly FeedEvent[] {
  return JSON.parse(events) as FeedEvent[]
}

function positionAfter({ number, first }: Row, events: number): Position {
  return { number: Number(number), events: Number(first) + events }
}
