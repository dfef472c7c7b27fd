/**
 * One request to an upstream: its time-outs, its back-pressure and its end, whichever comes first. Knows transport only;
 * what an answer means is its receiver's business.
 */
import type { Readable } from 'node:stream'

import type { AttemptErrorClass, Timeouts } from '@millrace/shared'
import type { Dispatcher } from 'undici'

import type { Deadlines, Timed } from './deadlines.ts'
import { isStream, type AnyBody, type Upstream, type UpstreamRequest } from './upstream.ts'

export type UpstreamHeaders = Record<string, string | string[] | undefined>

/** Takes what an upstream answers. After `end`, `broken` or `crashed`, one of which always comes, nothing more does. */
export interface Receiver {
  /** There is a connection, and the request goes out on it: from here on the provider may have seen of it. */
  sending(): void
  begin(status: number, headers: UpstreamHeaders): void
  data(chunk: Buffer): void
  end(): void
  broken(errorClass: AttemptErrorClass, message: string): void
  /** It threw, here: a fault of ours, which must end this one request and no other. */
  crashed(error: unknown): void
}

const ABORTED = new Error('aborted')

export class UpstreamCall implements Dispatcher.DispatchHandler, Timed {
  slot = -1
  private controller: Dispatcher.DispatchController | null = null
  /** A body that is sent as it comes. */
  private upload: Readable | null = null
  private done = false
  private paused = false
  private bodyBegan = false
  private lastActivity: number
  private readonly totalAt: number
  private firstTokenAt: number
  private readonly receiver: Receiver
  private readonly timeouts: Timeouts
  private readonly deadlines: Deadlines

  /** @param stream whether the first-token time-out holds until {@link contentSeen} */
  constructor(receiver: Receiver, timeouts: Timeouts, deadlines: Deadlines, stream: boolean) {
    this.receiver = receiver
    this.timeouts = timeouts
    this.deadlines = deadlines
    const now = performance.now()
    this.lastActivity = now
    this.totalAt = now + timeouts.total
    this.firstTokenAt = stream ? now + timeouts.firstToken : Infinity
  }

  send(upstream: Upstream, request: UpstreamRequest<AnyBody>): void {
    this.deadlines.add(this)
    if (isStream(request.body)) this.upload = request.body
    try {
      upstream.dispatch(request, this)
    } catch (error) {
      this.finishBroken('transport_error', messageOf(error))
    }
  }

  /** The client takes no more for now. While paused, the provider is not the slow one: idle time doesn't count. */
  pause(): void {
    this.paused = true
    this.controller?.pause()
  }

  resume(): void {
    this.paused = false
    this.lastActivity = performance.now()
    this.controller?.resume()
  }

  contentSeen(): void {
    this.firstTokenAt = Infinity
  }

  /** Ends the call from our side; the receiver hears nothing more of it. */
  abort(): void {
    if (this.done) return
    this.finish()
    this.letGo()
  }

  check(now: number): void {
    if (now >= this.totalAt) this.timeOut('total_timeout', `no whole answer within ${this.timeouts.total} ms`)
    else if (now >= this.firstTokenAt)
      this.timeOut('first_token_timeout', `no content within ${this.timeouts.firstToken} ms`)
    else if (this.bodyBegan && !this.paused && now - this.lastActivity >= this.timeouts.idle) {
      this.timeOut('idle_timeout', `nothing more for ${this.timeouts.idle} ms`)
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.done) controller.abort(ABORTED)
    else this.receiver.sending()
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: UpstreamHeaders): void {
    // Informational answers (RFC 9110, section 15.2) come before the real one.
    if (this.done || status < 200) return
    this.bodyBegan = true
    this.lastActivity = this.deadlines.soon
    try {
      this.receiver.begin(status, headers)
    } catch (error) {
      this.crash(error)
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.done) return
    this.lastActivity = this.deadlines.soon
    try {
      this.receiver.data(chunk)
    } catch (error) {
      this.crash(error)
    }
  }

  onResponseEnd(): void {
    if (this.done) return
    this.finish()
    // Who has answered takes no more.
    this.upload?.destroy()
    try {
      this.receiver.end()
    } catch (error) {
      this.crash(error)
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.done) return
    this.finishBroken(classOf(error), messageOf(error))
  }

  private timeOut(errorClass: AttemptErrorClass, message: string): void {
    if (this.done) return
    this.finishBroken(errorClass, message)
    this.letGo()
  }

  /**
   * Hazard: of an HTTP/2 request whose body still comes, undici (8.12.4) does not tell the upstream that it was aborted; of
   * a body that comes no further, it does. One that waits for a connection is aborted when it gets one.
   */
  private letGo(): void {
    const { upload, controller } = this
    if (upload !== null && !upload.destroyed && !upload.readableEnded) upload.destroy()
    else controller?.abort(ABORTED)
  }

  private finishBroken(errorClass: AttemptErrorClass, message: string): void {
    this.finish()
    try {
      this.receiver.broken(errorClass, message)
    } catch (error) {
      this.crash(error)
    }
  }

  private crash(error: unknown): void {
    this.abort()
    this.receiver.crashed(error)
  }

  private finish(): void {
    this.done = true
    this.deadlines.remove(this)
  }
}

function classOf(error: Error): AttemptErrorClass {
  return codeOf(error) === 'UND_ERR_CONNECT_TIMEOUT' ? 'connect_timeout' : 'transport_error'
}

function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined
}

/** A transport error for an operator: addresses and codes, nothing of the request. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0])
  const message = error instanceof Error ? error.message : String(error)
  const code = codeOf(error)
  return code !== undefined && !message.includes(code) ? `${code}: ${message}` : message
}
