/** One connection to Redis, made in the background and made again whenever it is lost. */
import type { createClient } from '@redis/client'

export type RedisClient = ReturnType<typeof createClient>
/** How a command's reply is to be read. */
export type ReplyForm = NonNullable<Parameters<RedisClient['sendCommand']>[1]>

/** Who uses a connection is told of its state. Neither may throw. */
export interface ConnectionUser {
  ready(client: RedisClient): void
  /** Not there, or no longer. @param reason holds no password */
  lost(reason: string): void
}

const CONNECT_MS = 2_000
const PING_MS = 1_000
/** Silence after which a connection is taken for dead, pings unanswered: a cut network sends no goodbye. */
const SILENCE_MS = 5_000
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 2_000
/** Commands under way. Those beyond are refused, not kept. */
const MOST_COMMANDS = 10_000

export class RedisConnection {
  readonly #url: string
  readonly #user: ConnectionUser
  #client: RedisClient | null = null
  #closed = false

  /** @param url as the settings have checked it */
  constructor(url: string, user: ConnectionUser) {
    this.#url = url
    this.#user = user
  }

  /** Null while Redis is away. */
  get client(): RedisClient | null {
    return this.#client?.isReady === true ? this.#client : null
  }

  /** Begins to connect, and goes on until {@link close}. */
  async open(): Promise<void> {
    // It takes 200 ms and 30 MB: only for those who use Redis.
    const { createClient } = await import('@redis/client')
    if (this.#closed) return
    const client: RedisClient = createClient({
      url: this.#url,
      name: 'millrace-proxy',
      socket: { connectTimeout: CONNECT_MS, socketTimeout: SILENCE_MS, reconnectStrategy: waitBefore },
      pingInterval: PING_MS,
      disableOfflineQueue: true,
      commandsQueueMaxLength: MOST_COMMANDS,
      // Its own time-out makes an AbortSignal for every command; see Redis.
      commandOptions: { timeout: 0 },
      maintNotifications: 'disabled',
    })
    this.#client = client
    client.on('ready', () => this.#user.ready(client))
    client.on('error', (error: unknown) => this.#user.lost(reasonOf(error)))
    // It rejects only when it is closed before it was ready.
    await client.connect().catch(() => undefined)
  }

  /** Gives it up for a new one; what is under way fails. */
  renew(): void {
    if (this.#closed || this.#client?.isReady !== true) return
    this.#client.destroy()
    void this.#client.connect().catch(() => undefined)
  }

  /** Ends it at once; what is under way fails. */
  close(): void {
    this.#closed = true
    this.#client?.destroy()
  }
}

function waitBefore(retries: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** retries, LONGEST_WAIT_MS) * (0.5 + Math.random() / 2)
}

/** An AggregateError, of a name with several addresses, has a code and no message. */
function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  return message || code || String(error)
}
