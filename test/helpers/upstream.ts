/**
 * A provider that is a real HTTP server and misbehaves on purpose. Each request is answered by a behaviour
 * (see upstream/behaviours.ts): the one that was queued with `next`, else the one that stands for its model, else a good answer.
 */
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import { answer } from './upstream/answers.ts'
import { Exchange, type Behaviour, type SeenRequest } from './upstream/exchange.ts'
import { waitFor } from './wait.ts'

export type { Behaviour, SeenRequest } from './upstream/exchange.ts'

export class Upstream implements AsyncDisposable {
  /** `http://127.0.0.1:PORT/v1`, as a provider's baseUrl. */
  readonly baseUrl: string
  readonly port: number
  /** Every request so far, in the order in which their headers came. */
  readonly requests: SeenRequest[] = []
  readonly #server: ReturnType<typeof createServer>
  readonly #sockets: Set<Socket>
  readonly #queue: Behaviour[] = []
  readonly #byModel = new Map<string, Behaviour>()
  /** How many connections were ever opened. */
  connections = 0
  /** How requests are answered of which nothing else is said. */
  otherwise: Behaviour = answer()

  constructor(server: ReturnType<typeof createServer>, sockets: Set<Socket>) {
    this.#server = server
    this.#sockets = sockets
    this.port = (server.address() as AddressInfo).port
    this.baseUrl = `http://127.0.0.1:${this.port}/v1`
  }

  /** The behaviours of the next requests, one each. */
  next(...behaviours: readonly Behaviour[]): void {
    this.#queue.push(...behaviours)
  }

  /** Forgets those behaviours of which no request has come. */
  expectNothing(): void {
    this.#queue.length = 0
  }

  /** How all requests of a model (the provider's name for it) are answered from now on. */
  on(model: string, behaviour: Behaviour): void {
    this.#byModel.set(model, behaviour)
  }

  /** The newest request. */
  get last(): SeenRequest {
    const last = this.requests.at(-1)
    if (!last) throw new Error('the upstream was not asked')
    return last
  }

  /** Waits until so many requests have come, and returns the newest. */
  seen(count: number): Promise<SeenRequest> {
    return waitFor(() => this.requests.length >= count && this.requests[count - 1], {
      what: `${count} requests upstream`,
    })
  }

  /** For the server's listener: runs one exchange. */
  async handle(exchange: Exchange): Promise<void> {
    this.requests.push(exchange.seen)
    // What is queued goes to requests in the order of their headers, though bodies may end in another.
    const queued = this.#queue.shift()
    if (queued?.beforeBody) return queued(exchange)
    await exchange.body()
    const behaviour = queued ?? this.#byModel.get(exchange.seen.model ?? '') ?? this.otherwise
    await behaviour(exchange)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Starts one on a free port. */
export async function startUpstream(): Promise<Upstream> {
  const sockets = new Set<Socket>()
  const server = createServer({ keepAliveTimeout: 60_000 })
  server.on('connection', (socket) => {
    upstream.connections++
    socket.setNoDelay(true)
    // Nor does it keep a failed test's process from ending.
    socket.unref()
    socket.on('error', () => undefined)
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.unref()
  const upstream = new Upstream(server, sockets)
  server.on('request', (request, response) => {
    const exchange = new Exchange(request, response)
    upstream.handle(exchange).catch((error: unknown) => exchange.fail(error))
  })
  return upstream
}
