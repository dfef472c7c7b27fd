/** Hears channels' notifications on one connection of its own, which is opened again whenever it is lost. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { Logger } from 'pino'

import type { Unlisten } from './database.ts'
import type { PgClient } from './pool.ts'

const RELISTEN_MS = 1_000
/** A connection on which nothing is asked is not known to be lost. */
const HEARTBEAT_MS = 5_000

interface Ear {
  readonly channel: string
  /** Called at each notification, and whenever some may have been missed. */
  readonly heard: () => void
}

/** A connection that is listened on. */
interface Line {
  readonly client: PgClient
  /** Aborted when it is of no use any more. */
  readonly lost: AbortController
}

export class Listener {
  readonly #connect: () => Promise<PgClient>
  readonly #log: Logger
  readonly #ears = new Set<Ear>()
  #line: Line | null = null
  #stop: AbortController | null = null
  #listening: Promise<void> = Promise.resolve()

  constructor(connect: () => Promise<PgClient>, log: Logger) {
    this.#connect = connect
    this.#log = log
  }

  listen(channel: string, heard: () => void): Unlisten {
    const ear = { channel, heard }
    this.#ears.add(ear)
    if (this.#line) void this.#open(this.#line, [ear])
    if (!this.#stop) {
      this.#stop = new AbortController()
      this.#listening = this.#keepListening(this.#stop.signal)
    }
    return () => this.#leave(ear)
  }

  /** The last to leave closes the connection. */
  async #leave(ear: Ear): Promise<void> {
    this.#ears.delete(ear)
    if (this.#ears.size > 0) return
    this.#stop?.abort()
    this.#stop = null
    await this.#listening
  }

  async #keepListening(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#listenUntilLost(signal)
      } catch (error) {
        this.#log.debug({ err: error }, 'cannot listen for notifications, polling goes on')
      }
      await sleep(RELISTEN_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  async #listenUntilLost(signal: AbortSignal): Promise<void> {
    const client = await this.#connect()
    const lost = new AbortController()
    const lose = (): void => lost.abort()
    client.on('error', lose)
    client.on('end', lose)
    signal.addEventListener('abort', lose, { once: true })
    // While it connected: then the listener is not called.
    if (signal.aborted) lose()
    try {
      client.on('notification', ({ channel }) => {
        for (const ear of this.#ears) if (ear.channel === channel) ear.heard()
      })
      this.#line = { client, lost }
      await this.#open(this.#line, [...this.#ears])
      while (!lost.signal.aborted) {
        await sleep(HEARTBEAT_MS, undefined, { signal: lost.signal }).catch(() => undefined)
        if (!lost.signal.aborted) await client.query('select 1')
      }
    } finally {
      this.#line = null
      signal.removeEventListener('abort', lose)
      client.release(true)
    }
  }

  /** A connection on which it fails is lost: it is asked for again on the next. */
  async #open({ client, lost }: Line, ears: readonly Ear[]): Promise<void> {
    try {
      await client.query(ears.map(({ channel }) => `listen ${channel}`).join('; '))
      for (const { heard } of ears) heard()
    } catch (error) {
      this.#log.debug({ err: error }, 'cannot listen for notifications, polling goes on')
      lost.abort()
    }
  }
}
