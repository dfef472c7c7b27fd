/**
 * Redis, which the proxies may share. It may be away at any time: then commands fail at once, and the caller goes on without
 * it. Nothing waits for it to come.
 */
import type { Logger } from 'pino'

import { RedisConnection, type ReplyForm } from './connection.ts'
import type { LuaScript } from './script.ts'
import { RedisSubscriber, type HintListener } from './subscriber.ts'

const DEADLINE_MS = 100
/** It is said to be away once it has been for so long: a moment is nobody's business. */
const AWAY_MS = 1_000
/** Between two complaints of the same kind. */
const QUIET_MS = 60_000
/** What it says where it can't run anybody's scripts now; Redis 6 puts it in the middle of a script's error. */
const UNFIT =
  /\b(READONLY|OOM|MISCONF|LOADING|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|CROSSSLOT|MOVED|TRYAGAIN|NOPERM|NOAUTH|BUSY|unknown command)\b/
/** It is left alone for so long then: each time twice as long, until it does what it is told. */
const FIRST_REST_MS = 1_000
const LONGEST_REST_MS = 30_000

const IN_TEXT: ReplyForm = {}
/** RESP's type of texts, `$`. */
const IN_BYTES: ReplyForm = { typeMapping: { 36: Buffer } }

/** A command was not carried out, or not in time: then nobody knows. */
export class RedisError extends Error {
  override readonly name = 'RedisError'
}

export class Redis {
  readonly #connection: RedisConnection
  readonly #subscriber: RedisSubscriber
  readonly #log: Logger
  /** After which a command fails that is given no other. */
  readonly deadlineMs: number
  /** How many there were so far: with each, it may be another, or hold what it held some time ago. */
  connections = 0
  /** Where it is, without user and password. */
  readonly #address: string
  /** Commands whose deadline has passed: until they are answered, no others are sent. */
  #overdue = 0
  /** How long it is left alone when it is unfit again. */
  #restMs = FIRST_REST_MS
  /** Until it is asked again, having been unfit. */
  #rest: NodeJS.Timeout | null = null
  #reason = 'it has not answered yet'
  #told: 'ready' | 'away' | null = null
  #away: NodeJS.Timeout | null = null
  #quietUntil = 0
  #listener: (() => void) | null = null

  /**
   * @param url as the settings have checked it
   * @param deadlineMs after which a command fails, and the caller goes on
   */
  constructor(url: string, log: Logger, deadlineMs = DEADLINE_MS) {
    this.#connection = new RedisConnection(url, {
      ready: () => {
        this.connections++
        this.#changed()
      },
      lost: (reason) => {
        this.#reason = reason
        this.#changed()
      },
    })
    this.#subscriber = new RedisSubscriber(url)
    this.#log = log
    this.deadlineMs = deadlineMs
    const { hostname, port } = new URL(url)
    this.#address = `${hostname}:${port || '6379'}`
  }

  /** @param listener called when it has gone, or is back */
  watch(listener: () => void): void {
    this.#listener = listener
  }

  /** Begins to connect. */
  start(): void {
    this.#changed()
    void this.#connection.open()
  }

  /** Whether a command would be sent now. */
  get ready(): boolean {
    return this.#overdue === 0 && this.#rest === null && this.#connection.client !== null
  }

  /**
   * Sends a command.
   * @throws RedisError if Redis is away, or doesn't answer in time; Error with what it says if it refuses
   */
  async command(args: readonly (string | Buffer)[], deadlineMs = this.deadlineMs): Promise<unknown> {
    return this.#send(args, IN_TEXT, deadlineMs)
  }

  /** As {@link command}; what would be text in the reply comes as it stands there, in Buffers. */
  async commandInBytes(args: readonly (string | Buffer)[], deadlineMs = this.deadlineMs): Promise<unknown> {
    return this.#send(args, IN_BYTES, deadlineMs)
  }

  /**
   * Runs a script, which Redis keeps from its first run on. Otherwise as {@link command}; but one that can't run scripts now
   * (it is full, a replica, has yet to load) is as good as away, for all commands.
   */
  async run(
    script: LuaScript,
    keys: readonly string[],
    args: readonly string[],
    deadlineMs = this.deadlineMs,
  ): Promise<unknown> {
    const given = [String(keys.length), ...keys, ...args]
    try {
      const answer = await this.#evaluate(script, given, deadlineMs)
      this.#restMs = FIRST_REST_MS
      return answer
    } catch (error) {
      const { message } = error as Error
      if (UNFIT.test(message)) this.#leaveAlone(message)
      throw error
    }
  }

  async #evaluate(script: LuaScript, given: readonly string[], deadlineMs: number): Promise<unknown> {
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
    if (this.#rest !== null) clearTimeout(this.#rest)
    this.#told = 'away'
    this.#connection.close()
    this.#subscriber.close()
  }

  async #send(args: readonly (string | Buffer)[], form: ReplyForm, deadlineMs: number): Promise<unknown> {
    const { client } = this.#connection
    if (client === null || !this.ready) throw new RedisError(`Redis is away: ${this.#reason}`)
    return this.#within(deadlineMs, client.sendCommand(args, form))
  }

  #within(deadlineMs: number, answer: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      let late = false
      let lastLook: NodeJS.Immediate | null = null
      const giveUp = (): void => {
        late = true
        this.#overdue++
        this.#reason = `it did not answer within ${deadlineMs} ms`
        this.#changed()
        reject(new RedisError(`Redis is away: ${this.#reason}`))
      }
      // Not before what has come is read: it may be this process that was slow.
      const timer = setTimeout(() => (lastLook = setImmediate(giveUp)), deadlineMs)
      const settled = (): void => {
        clearTimeout(timer)
        if (lastLook !== null) clearImmediate(lastLook)
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

  /** Redis is there and does not do what it is told: callers go on, and someone should know. */
  #refused({ message }: Error): void {
    const now = performance.now()
    if (!this.ready || message.startsWith('NOSCRIPT')) return
    if (now >= this.#quietUntil) {
      this.#quietUntil = now + QUIET_MS
      this.#log.warn({ reason: message }, `Redis at ${this.#address} refuses a command: going on without it`)
    }
    // Nor will it take anything else: see below.
    if (message.startsWith('READONLY')) this.#leaveAlone(message)
  }

  #leaveAlone(reason: string): void {
    if (this.#rest !== null) return
    this.#reason = reason
    this.#rest = setTimeout(() => {
      this.#rest = null
      // After a failover the name may lead to another by now; the replica that was asked keeps its connections.
      if (reason.includes('READONLY')) this.#connection.renew()
      this.#changed()
    }, this.#restMs).unref()
    this.#restMs = Math.min(2 * this.#restMs, LONGEST_REST_MS)
    this.#changed()
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
    this.#listener?.()
  }

  #tellAway(): void {
    this.#away = null
    this.#told = 'away'
    this.#log.warn({ reason: this.#reason }, `Redis is away at ${this.#address}: going on without it`)
  }
}
