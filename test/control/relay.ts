/** A TCP relay before a database, which can fall silent as a network does that drops packets. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export class Relay implements AsyncDisposable {
  readonly #server
  readonly #pairs = new Set<[Socket, Socket]>()
  /** On how many connections someone has said LISTEN. */
  listens = 0
  /** Whether nothing passes on connections that are made from now on. */
  swallowing = false

  private constructor(target: URL) {
    this.#server = createServer((client) => {
      const database = connect(Number(target.port), target.hostname)
      this.#pairs.add([client, database])
      let listens = false
      client.on('data', (bytes) => {
        if (listens || !bytes.includes('listen ')) return
        listens = true
        this.listens++
      })
      if (!this.swallowing) client.pipe(database).pipe(client)
      for (const socket of [client, database]) socket.on('error', () => undefined).unref()
    })
  }

  /** @param url the database's; the port that it is relayed on takes its port's place */
  static async start(url: string): Promise<{ relay: Relay; url: string }> {
    const target = new URL(url)
    const relay = new Relay(target)
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve))
    const relayed = new URL(url)
    relayed.port = String((relay.#server.address() as AddressInfo).port)
    return { relay, url: relayed.href }
  }

  /** From now on nothing passes on the connections that there are. New ones work. */
  silence(): void {
    for (const [client, database] of this.#pairs) {
      client.unpipe(database)
      database.unpipe(client)
      // Read, so that neither side sees it by a full buffer.
      client.resume()
      database.resume()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
