/** Hears a channel's notifications on a connection of its own, which is opened again whenever it is lost. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { Logger } from 'pino'

import type { PgClient } from './pool.ts'

const RELISTEN_MS = 1_000
/** A connection on which nothing is asked is not known to be lost. */
const HEARTBEAT_MS = 5_000

export class Listener {
  readonly #connect: () => Promise<PgClient>
  readonly #channel: string
  readonly #heard: () => void
  readonly #log: Logger
  readonly #stop = new AbortController()
  readonly #listening: Promise<void>

  /** @param heard called at each notification, and whenever some may have been missed */
  constructor(connect: () => Promise<PgClient>, channel: string, heard: () => void, log: Logger) {
    this.#connect = connect
    this.#channel = channel
    this.#heard = heard
    this.#log = log
    this.#listening = this.#keepListening()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#listening
  }

  async #keepListening(): Promise<void> {
    const { signal } = this.#stop
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
    const over = new AbortController()
    const end = (): void => over.abort()
    client.on('error', end)
    client.on('end', end)
    signal.addEventListener('abort', end, { once: true })
    try {
      client.on('notification', this.#heard)
      await client.query(`listen ${this.#channel}`)
      this.#heard()
      while (!over.signal.aborted) {
        await sleep(HEARTBEAT_MS, undefined, { signal: over.signal }).catch(() => undefined)
        if (!over.signal.aborted) await client.query('select 1')
      }
    } finally {
      signal.removeEventListener('abort', end)
      client.release(true)
    }
  }
}
