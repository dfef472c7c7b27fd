/** A body that is not read here: it goes to one provider as it comes, no faster than that takes it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

import { setUploading } from '../client-server.ts'
import { wantBody } from '../request/expected.ts'

const kBody = Symbol('body')
/** Bytes that wait here for the provider to take them. */
const MOST_WAITING = 65_536
/** How long a client that was answered may go on to send. Closing at once would reset the connection, and lose the answer. */
const LINGER_MS = 5_000

interface UploadRequest extends IncomingMessage {
  [kBody]?: ClientBody
}

/** One client's body. Each attempt opens it; the first that takes of it is the last. */
export class ClientBody {
  /** Whether any of it was taken. */
  begun = false
  /** Whether the rest is of no use. */
  private stopped = false
  private upload: Upload | null = null
  private linger: NodeJS.Timeout | null = null
  private readonly req: UploadRequest

  constructor(req: UploadRequest, res: ServerResponse) {
    this.req = req
    req[kBody] = this
    // A debug capture may listen already: nothing is to come before a provider takes it.
    req.pause()
    setUploading(req.socket, true)
    res.on('close', onAnswered)
  }

  /** Whether it is the client that is waited for. */
  get awaited(): boolean {
    return !this.req.complete && this.upload !== null && this.upload.wanting
  }

  open(): Readable {
    this.upload = new Upload(this)
    return this.upload
  }

  /**
   * The provider has said that it wants none of the rest, and is to be left to say why (RFC 9112, section 9.5). It is read into
   * nothing: many clients read no answer before they have sent all.
   */
  stop(): void {
    this.stopped = true
    this.req.resume()
  }

  /** @internal */
  take(): void {
    const { req } = this
    if (!this.begun) {
      this.begun = true
      wantBody(req)
      req.on('data', onData)
      req.on('end', onEnd)
    }
    if (!this.stopped) req.resume()
  }

  /** @internal */
  came(chunk: Buffer): void {
    const { upload, req } = this
    if (upload === null || upload.destroyed || this.stopped) return
    if (!upload.push(chunk)) {
      upload.wanting = false
      req.pause()
    }
  }

  /** @internal */
  ended(): void {
    const { upload } = this
    if (upload !== null && !upload.destroyed && !this.stopped) upload.push(null)
  }

  /** @internal an upload is not taken any further */
  left(): void {
    if (!this.stopped) this.req.pause()
  }

  /** @internal the client has its answer, or has gone: what it still sends is for nobody */
  answered(): void {
    const { req } = this
    this.stopped = true
    setUploading(req.socket, false)
    if (req.destroyed || req.readableEnded) return
    req.resume()
    if (req.complete) return
    this.linger = setTimeout(cutOff, LINGER_MS, req).unref()
    req.on('close', onClosed)
  }

  /** @internal */
  closed(): void {
    if (this.linger !== null) clearTimeout(this.linger)
  }
}

/** It, on its way to a provider. */
class Upload extends Readable {
  wanting = false
  private readonly body: ClientBody

  constructor(body: ClientBody) {
    super({ highWaterMark: MOST_WAITING })
    this.body = body
    // Who sends it tells of failures.
    this.on('error', ignore)
  }

  override _read(): void {
    this.wanting = true
    this.body.take()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.wanting = false
    this.body.left()
    done(error)
  }
}

function onData(this: UploadRequest, chunk: Buffer): void {
  this[kBody]!.came(chunk)
}

function onEnd(this: UploadRequest): void {
  this[kBody]!.ended()
}

function onAnswered(this: ServerResponse<UploadRequest>): void {
  this.req[kBody]!.answered()
}

function onClosed(this: UploadRequest): void {
  this[kBody]!.closed()
}

function cutOff(req: IncomingMessage): void {
  if (!req.complete) req.socket.destroy()
}

function ignore(): void {}
