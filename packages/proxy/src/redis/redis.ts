/**
 * Redis, which the proxies may share. It may be away at any time: then commands fail at once, and the caller goes on without
 * it. Nothing waits for it to come.
 */
import type { Logger } from 'pino'

import { RedisConnection } from './connection.ts'
import type { LuaScript } from './script.ts'
import { RedisSubscriber, type HintListener } from './subscriber.ts'

const DEADLINE_MS = 100
/** It is said to be away once it has been for so long: a moment is nobody's business. */
const AWAY_MS = 1_000
/** Between two complaints of the same kind. */
const QUIET_MS = 60_000

/** A command was not carried out, or not in time: then nobody knows. */
export class RedisError extends Error {
  override readonly name = 'RedisError'
}

export class Redis {
  readonly #connection: RedisConnection
  readonly #subscriber: RedisSubscriber
  readonly #log: Logger
  readonly #deadlineMs: number
  /** Where it is, without user and password. */
  readonly #address: string
  /** Commands whose deadline has passed: until they are answered, no others are sent. */
  #overdue = 0
  #reason = 'it has not answered yet'
  #told: 'ready' | 'away' | null = null
  #away: NodeJS.Timeout | null = null
  #quietUntil = 0

  /**
   * @param url as the settings have checked it
   * @param deadlineMs after which a command fails, and the caller goes on
   */
  constructor(url: string, log: Logger, deadlineMs = DEADLINE_MS) {
    this.#connection = new RedisConnection(url, {
      ready: () => this.#changed(),
      lost: (reason) => {
        this.#reason = reason
        this.#changed()
      },
    })
    this.#subscriber = new RedisSubscriber(url)
    this.#log = log
    this.#deadlineMs = deadlineMs
    const { hostname, port } = new URL(url)
    this.#address = `${hostname}:${port || '6379'}`
  }

  /** Begins to connect. */
  start(): void {
    this.#changed()
    void this.#connection.open()
  }

  /** Whether a command would be sent now. */
  get ready(): boolean {
    return this.#overdue === 0 && this.#connection.client !== null
  }

  /**
   * Sends a command.
   * @throws RedisError if Redis is away, or doesn't answer in time; Error with what it says if it refuses
   */
  async command(args: readonly string[], deadlineMs = this.#deadlineMs): Promise<unknown> {
    const { client } = this.#connection
    if (client === null || this.#overdue > 0) throw new RedisError(`Redis is away: ${this.#reason}`)
    return this.#within(deadlineMs, client.sendCommand(args))
  }

  /** Runs a script, which Redis keeps from its first run on. Otherwise as {@link command}. */
  async run(
    script: LuaScript,
    keys: readonly string[],
    args: readonly string[],
    deadlineMs = this.#deadlineMs,
  ): Promise<unknown> {
    const given = [String(keys.length), ...keys, ...args]
    try {
      return await this.command(['EVALSHA', script.sha1, ...given], deadlineMs)
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
      return this.command(['EVAL', script.text, ...given], deadlineMs)
    }
  }

  /** Tells all who listen there now, this process too. Lost if Redis is away. */
  publish(channel: string, message: string): void {
    this.command(['PUBLISH', channel, message]).catch(() => undefined)
  }

  /** Listens, from when Redis is there and again after each time that it was away. @param listener must not throw */
  subscribe(channel: string, listener: HintListener): void {
    this.#subscriber.subscribe(channel, listener)
  }

  /** Ends both connections at once. */
  close(): void {
    if (this.#away !== null) clearTimeout(this.#away)
    this.#told = 'away'
    this.#connection.close()
    this.#subscriber.close()
  }

  #within(deadlineMs: number, answer: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let late = false
      const timer = setTimeout(() => {
        late = true
        this.#overdue++
        this.#reason = `it did not answer within ${deadlineMs} ms`
        this.#changed()
        reject(new RedisError(`Redis is away: ${this.#reason}`))
      }, deadlineMs)
      const settled = (): void => {
        clearTimeout(timer)
        if (!late) return
        this.#overdue--
        this.#changed()
      }
      answer.then(
        (value) => {
          settled()
          resolve(value)
        },
        (error: Error) => {
          settled()
          this.#refused(error)
          reject(error)
        },
      )
    })
  }

  /** Redis is there and does not do what it is told (it is full, or a replica): callers go on, and someone should know. */
  #refused({ message }: Error): void {
    const now = performance.now()
    if (!this.ready || message.startsWith('NOSCRIPT') || now < this.#quietUntil) return
    this.#quietUntil = now + QUIET_MS
    this.#log.warn({ reason: message }, `Redis at ${this.#address} refuses a command: going on without it`)
  }

  #changed(): void {
    if (this.ready) {
      if (this.#away !== null) clearTimeout(this.#away)
      this.#away = null
      if (this.#told !== 'ready') this.#log.info(`Redis answers at ${this.#address}`)
      this.#told = 'ready'
    } else if (this.#told !== 'away') {
      this.#away ??= setTimeout(() => this.#tellAway(), AWAY_MS).unref()
    }
  }

  #tellAway(): void {
    this.#away = null
    this.#told = 'away'
    this.#log.warn({ reason: this.#reason }, `Redis is away at ${this.#address}: going on without it`)
  }
}
