import { RedisConnection, type RedisClient } from './connection.ts'

export type HintListener = (message: string) => void

/** Hears what is published. A connection of its own, made when it is first needed: what it hears delays no command. */
export class RedisSubscriber {
  readonly #connection: RedisConnection
  readonly #listeners = new Map<string, HintListener[]>()

  constructor(url: string) {
    this.#connection = new RedisConnection(url, {
      ready: (client) => {
        for (const [channel, listeners] of this.#listeners)
          for (const listener of listeners) listen(client, channel, listener)
      },
      lost: () => undefined,
    })
  }

  subscribe(channel: string, listener: HintListener): void {
    if (this.#listeners.size === 0) void this.#connection.open()
    const listeners = this.#listeners.get(channel)
    if (listeners) listeners.push(listener)
    else this.#listeners.set(channel, [listener])
    const { client } = this.#connection
    if (client !== null) listen(client, channel, listener)
  }

  close(): void {
    this.#connection.close()
  }
}

/** Again is no harm: the client keeps each listener once. One that fails is made good when the connection is ready again. */
function listen(client: RedisClient, channel: string, listener: HintListener): void {
  client.subscribe(channel, listener).catch(() => undefined)
}
