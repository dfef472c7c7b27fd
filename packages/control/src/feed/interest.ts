/** Who listens, over all control processes: so that nothing is sent that nobody wants. */
import { newId } from '@millrace/shared'
import type { Logger } from 'pino'

import type { Database } from '../db/database.ts'
import { Watch } from '../db/watch.ts'
import { Bus } from './bus.ts'
import type { Mailbox } from './mailbox.ts'

const CHANNEL = 'millrace_feed_interest'
const POLL_MS = 1_000
/** How long a process that says nothing more is taken to listen. */
const EXPIRY_SECONDS = 15
const REFRESH_MS = 5_000
/** Proxies go on for so long after the last subscriber to what is being served: one that comes back has missed nothing. */
const LINGER_MS = 5_000
/** By then every process that runs has heard of it, notified or by its poll. */
const HEARD_MS = 2 * POLL_MS + 200

/** What is wanted. */
export interface Wanted {
  /** Records, and their decisions. */
  readonly records: boolean
  /** Requests as they are served. */
  readonly live: boolean
}
const NOTHING: Wanted = { records: false, live: false }

const TELL = `
  with told as (
    insert into feed_interest (process_id, records, live, expires_at)
    values (?, ?, ?, clock_timestamp() + make_interval(secs => ?))
    on conflict (process_id) do update set records = excluded.records, live = excluded.live, expires_at = excluded.expires_at
  )
  select pg_notify('${CHANNEL}', '') where ?`
const FORGET = `with gone as (delete from feed_interest where process_id = ?) select pg_notify('${CHANNEL}', '')`
const SELECT = `
  select coalesce(bool_or(records), false) as records, coalesce(bool_or(live), false) as live
  from feed_interest where process_id <> ? and expires_at > clock_timestamp()`

/** What has to be done with it. */
export interface Listening {
  /** Before others are told that this process listens. */
  begin(): Promise<void>
  /** When they are told that it doesn't any more. */
  end(): void
}

export class Interest {
  /** This process, as others know it. */
  readonly process = newId()
  readonly #database: Database
  readonly #listening: Listening
  readonly #watch: Watch
  readonly #changes = new Bus<boolean>()
  readonly #listeners = { records: 0, live: 0 }
  #lingering: NodeJS.Timeout | null = null
  #others = NOTHING
  /** What others know of this process, and since when it is more than nothing; by `performance.now()`. */
  #told = NOTHING
  #toldAt = 0
  #since = Infinity
  #liveWanted = false
  #closed = false

  constructor(database: Database, listening: Listening, log: Logger) {
    this.#database = database
    this.#listening = listening
    const options = { channel: CHANNEL, what: 'who listens to the feed', pollMs: POLL_MS, restMs: 0 }
    this.#watch = new Watch(database, () => this.#look(), options, log)
  }

  start(): Promise<void> {
    return this.#watch.start()
  }

  /** Tells the others that nobody listens here any more. */
  async close(): Promise<void> {
    if (this.#lingering) clearTimeout(this.#lingering)
    this.#closed = true
    await this.#watch.look()
    await this.#watch.close()
  }

  /** What other processes want. */
  get others(): Wanted {
    return this.#others
  }

  /** What is wanted here. */
  get own(): Wanted {
    if (this.#closed) return NOTHING
    return { records: this.#listeners.records > 0, live: this.#listeners.live > 0 || this.#lingering !== null }
  }

  /** Whether all others have heard that records are wanted here: none that is stored from now on is missed. */
  get isHeard(): boolean {
    return performance.now() - this.#since > HEARD_MS
  }

  /** One more listens here, until the function that is returned is called. */
  add({ records, live }: Wanted): () => void {
    if (records) this.#listeners.records++
    if (live) this.#listeners.live++
    this.#changed()
    return () => {
      if (records) this.#listeners.records--
      if (live && --this.#listeners.live === 0) this.#linger()
      this.#changed()
    }
  }

  /** Whether anybody anywhere wants to hear of requests while they are served: at once, and whenever that changes. */
  liveWanted(): Mailbox<boolean> {
    const mailbox = this.#changes.subscribe(1)
    mailbox.post(this.#liveWanted)
    return mailbox
  }

  #linger(): void {
    if (this.#lingering) clearTimeout(this.#lingering)
    this.#lingering = setTimeout(() => {
      this.#lingering = null
      this.#changed()
    }, LINGER_MS).unref()
  }

  #changed(): void {
    this.#decide()
    if (!this.#isTold) void this.#watch.look()
  }

  #decide(): void {
    const wanted = this.own.live || this.#others.live
    if (wanted === this.#liveWanted) return
    this.#liveWanted = wanted
    this.#changes.publish(wanted)
  }

  /** Whether others know what is wanted here. */
  get #isTold(): boolean {
    const { records, live } = this.own
    return records === this.#told.records && live === this.#told.live
  }

  async #look(): Promise<void> {
    // It may change while it is told, and back.
    do await this.#tell(this.own)
    while (!this.#isTold)
    const [others] = await this.#database.em().execute<Wanted[]>(SELECT, [this.process])
    this.#others = others!
    this.#decide()
  }

  async #tell(own: Wanted): Promise<void> {
    const isNew = !this.#isTold
    const isListening = own.records || own.live
    if (!own.records) this.#since = Infinity
    if (!isNew && (!isListening || performance.now() - this.#toldAt < REFRESH_MS)) return
    if (!isListening) {
      await this.#database.em().execute(FORGET, [this.process])
      this.#listening.end()
    } else {
      if (!this.#told.records && !this.#told.live) await this.#listening.begin()
      await this.#database.em().execute(TELL, [this.process, own.records, own.live, EXPIRY_SECONDS, isNew])
    }
    const now = performance.now()
    const hasExpired = now - this.#toldAt > EXPIRY_SECONDS * 1_000
    if (own.records && (!this.#told.records || hasExpired)) this.#since = now
    this.#toldAt = now
    this.#told = own
  }
}

/** Forgets processes that have ended without a word. */
export async function forgetEnded(database: Database): Promise<void> {
  await database.em().execute("delete from feed_interest where expires_at < clock_timestamp() - interval '1 minute'")
}
