/** One request at the fake upstream: what was seen of it, and the means to answer it well or badly. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** Answers one exchange. `beforeBody` means that it wants to start before the request's body has been read. */
export interface Behaviour {
  (exchange: Exchange): void | Promise<void>
  readonly beforeBody?: boolean
}

/** How an exchange ended. */
export interface Ended {
  /** When, as `performance.now()`. */
  readonly at: number
  /** Whether the whole answer had been handed to the socket. False, and not `cutByUs`: the peer went. */
  readonly finished: boolean
  readonly cutByUs: boolean
}

/** What an upstream saw of one request, and what it sent. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Names and values alternating, spelt as they came. */
  readonly rawHeaders: readonly string[]
  /** The body's bytes, without the transfer coding. */
  readonly body: Buffer
  /** The body as JSON; undefined if it is none. */
  readonly json: any
  /** The body's `model`, if it has one. */
  readonly model: string | undefined
  /** When its headers came, as `performance.now()`. */
  readonly at: number
  /** Body bytes that were handed to the socket: the first 8 MiB of them. */
  readonly sent: Buffer
  /** How many those are, all told. */
  readonly bytesSent: number
  readonly ended: Promise<Ended>
}

const SENT_KEPT = 8 * 1024 * 1024

/** Fills as the exchange goes on: a test may hold it from before the body came. */
class Recording implements SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
  readonly at = performance.now()
  readonly ended: Promise<Ended>
  body: Buffer = Buffer.alloc(0)
  json: any
  bytesSent = 0
  cutByUs = false
  readonly #sent: Buffer[] = []

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.method = request.method!
    this.url = request.url!
    this.headers = request.headers
    this.rawHeaders = request.rawHeaders
    this.ended = new Promise((resolve) => {
      response.once('close', () => {
        resolve({ at: performance.now(), finished: response.writableFinished, cutByUs: this.cutByUs })
      })
    })
  }

  get model(): string | undefined {
    const model = (this.json as { model?: unknown } | undefined)?.model
    return typeof model === 'string' ? model : undefined
  }

  get sent(): Buffer {
    return Buffer.concat(this.#sent)
  }

  addSent(bytes: Buffer): void {
    if (this.bytesSent < SENT_KEPT) this.#sent.push(bytes)
    this.bytesSent += bytes.length
  }
}

export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Aborted as soon as the exchange is over, whoever ended it. */
  readonly signal: AbortSignal
  readonly #recording: Recording

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.request = request
    this.response = response
    this.#recording = new Recording(request, response)
    const over = new AbortController()
    this.signal = over.signal
    response.once('close', () => over.abort())
    response.on('error', () => undefined)
    request.on('error', () => undefined)
  }

  get seen(): SeenRequest {
    return this.#recording
  }

  /** Reads the request's body to its end. */
  async body(): Promise<Buffer> {
    const chunks: Buffer[] = []
    for await (const chunk of this.request) chunks.push(chunk as Buffer)
    this.setBody(Buffer.concat(chunks))
    return this.seen.body
  }

  /** For behaviours that read the body in a way of their own. */
  setBody(body: Buffer): void {
    this.#recording.body = body
    try {
      this.#recording.json = JSON.parse(body.toString('utf8'))
    } catch {
      this.#recording.json = undefined
    }
  }

  get streams(): boolean {
    return (this.seen.json as { stream?: unknown } | undefined)?.stream === true
  }
  get wantsUsage(): boolean {
    return (
      (this.seen.json as { stream_options?: { include_usage?: unknown } } | undefined)?.stream_options
        ?.include_usage === true
    )
  }

  head(status: number, headers: OutgoingHttpHeaders): void {
    this.response.writeHead(status, headers)
    this.response.flushHeaders()
  }

  /** Writes body bytes, one HTTP chunk a call where the answer is chunked. False: the socket's buffer is full. */
  write(bytes: Buffer | string): boolean {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    if (this.response.destroyed) return true
    this.#recording.addSent(buffer)
    return this.response.write(buffer)
  }

  /** Writes, and waits until the socket takes more. */
  async writeWhole(bytes: Buffer | string): Promise<void> {
    if (this.write(bytes) || this.signal.aborted) return
    await new Promise<void>((resolve) => {
      this.response.once('drain', resolve)
      this.signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  end(): void {
    this.response.end()
  }

  /** Closes the socket after what has been written has left, whatever the framing promised. */
  async cut(): Promise<void> {
    this.#recording.cutByUs = true
    const { socket } = this.response
    if (!socket || socket.destroyed) return
    // A destroy right away would drop what still waits in the socket's buffer.
    await new Promise<void>((resolve) => socket.write('', () => resolve()))
    socket.destroy()
  }

  /** Resets the connection: RST, as a crashed peer's kernel sends it. */
  reset(): void {
    this.#recording.cutByUs = true
    this.response.socket?.resetAndDestroy()
  }

  /** Sleeps; ends early, without an error, when the exchange is over. */
  async pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.signal }).catch(() => undefined)
  }

  /** Holds on until the exchange is over. */
  async untilOver(): Promise<void> {
    if (this.signal.aborted) return
    await new Promise<void>((resolve) => this.signal.addEventListener('abort', () => resolve(), { once: true }))
  }

  /** A fault in a behaviour must not look like an upstream's. */
  fail(error: unknown): void {
    if (!this.signal.aborted) {
      process.emitWarning(`a behaviour of the fake upstream failed: ${(error as Error).stack ?? String(error)}`)
      this.reset()
    }
  }
}
