/**
 * One exchange that is captured, while it is under way: what the client sends, and what is written to it. Its response's
 * methods are put behind others that keep what goes through them.
 */
import { ServerResponse, type IncomingMessage } from 'node:http'

import { CLIENT_CLOSED_REQUEST, type GlobList } from '@millrace/shared'

import type { Exchange } from '../request/exchange.ts'
import { Kept, MOST_HELD, type Held } from './kept.ts'
import { secretsOf } from './secrets.ts'

const kCapture = Symbol('capture')

/**
 * Bytes of a body beyond those that are wanted, so that a secret which begins before the cut is known for what it is: of the
 * longest, in its longest spelling, no less must be seen.
 */
const BEYOND = 16_384
/** About what its headers, and all else of it, take. */
const OF_ITS_OWN = 8_192

/** What is to be captured. */
export interface Wanted {
  readonly maxBodyBytes: number
  /** For how long it is kept. */
  readonly retentionHours: number
  /** Null: of any model. */
  readonly models: GlobList | null
}

/** Takes those that have ended. */
export interface Taker {
  readonly held: Held
  /** @param caught null: there was no room for it */
  take(caught: Caught | null): void
}

/** An exchange that has ended, as it was: with its secrets. */
export interface Caught {
  readonly id: string
  readonly requestId: string
  readonly startedAt: number
  readonly projectId: string
  readonly tokenId: string
  readonly method: string
  readonly target: string
  readonly model: string | null
  readonly requestHeaders: IncomingMessage['headers']
  readonly request: Kept
  readonly status: number
  /** Names and values in turn. */
  readonly responseHeaders: readonly string[]
  readonly response: Kept
  /** Bytes of a body that are wanted. */
  readonly maxBodyBytes: number
  readonly retentionHours: number
  /** Those that it was sent or asked with. */
  readonly secrets: ReadonlySet<string>
  /** What it takes of {@link Held}. */
  readonly held: number
}

type Captured<Message> = Message & { [kCapture]?: Capture }

class Capture {
  private readonly exchange: Exchange
  private readonly wanted: Wanted
  private readonly taker: Taker
  private readonly request: Kept
  private readonly response: Kept
  private status: number = CLIENT_CLOSED_REQUEST
  private headers: readonly string[] = []
  /** Whether Node has said that the body comes in chunks. */
  private chunked = false
  private held = 0
  /** Whether nothing more is kept of it. */
  private dropped = false
  /** Whether that is for want of room. */
  private crowdedOut = false

  constructor(exchange: Exchange, wanted: Wanted, taker: Taker) {
    this.exchange = exchange
    this.wanted = wanted
    this.taker = taker
    this.request = new Kept(wanted.maxBodyBytes + BEYOND)
    this.response = new Kept(wanted.maxBodyBytes + BEYOND)
    this.hold(OF_ITS_OWN)
  }

  /** Whether it is of what is captured, as far as that can be said: the model is not known at once. */
  get isWanted(): boolean {
    const { models } = this.wanted
    const { call } = this.exchange
    return models === null || (call !== null && models.has(call.model))
  }

  /** The client sends more. */
  sent(chunk: Buffer): void {
    if (!this.dropped) this.hold(this.request.add(chunk))
  }

  /** The head is written. @param chunked whether Node lets the body come in chunks */
  begun(status: number, headers: readonly string[], chunked: boolean): void {
    this.status = status
    this.headers = headers
    this.chunked = chunked
    // By now it is known what it asked for.
    if (!this.isWanted) this.drop()
  }

  /** @param framing whether it is Node that frames chunks; else who writes has done it */
  got(chunk: unknown, encoding: unknown, framing: boolean): void {
    if (this.dropped || !this.hasBody) return
    const bytes = bytesOf(chunk, encoding)
    if (bytes !== null) this.hold(this.response.add(this.chunked && !framing ? unframed(bytes) : bytes))
  }

  close(): void {
    const { taker, isWanted, dropped } = this
    // What is still sent by a client that was answered is not kept.
    this.dropped = true
    if (isWanted && !dropped) taker.take(this.caught())
    else if (isWanted && this.crowdedOut) taker.take(null)
    if (!isWanted && !dropped) this.drop()
  }

  private get hasBody(): boolean {
    return this.exchange.req.method !== 'HEAD' && this.status !== 204 && this.status !== 304
  }

  private hold(bytes: number): void {
    const { held } = this.taker
    this.held += bytes
    held.bytes += bytes
    if (held.bytes <= MOST_HELD) return
    this.drop()
    this.crowdedOut = true
  }

  private drop(): void {
    this.dropped = true
    this.request.take()
    this.response.take()
    this.taker.held.bytes -= this.held
    this.held = 0
  }

  private caught(): Caught {
    const { exchange, held } = this
    const { id, requestId, startedAt, token, req, call } = exchange
    return {
      id,
      requestId,
      startedAt,
      projectId: token!.projectId,
      tokenId: token!.id,
      method: req.method!,
      target: req.url!,
      model: call === null || call.model === '' ? null : call.model,
      requestHeaders: req.headers,
      request: this.request,
      status: this.status,
      responseHeaders: this.headers,
      response: this.response,
      maxBodyBytes: this.wanted.maxBodyBytes,
      retentionHours: this.wanted.retentionHours,
      secrets: secretsOf(exchange),
      held,
    }
  }
}

/**
 * Keeps what is sent and got from now on.
 * @param exchange whose token is known, and of which nothing was read or written
 */
export function capture(exchange: Exchange, wanted: Wanted, taker: Taker): void {
  const captured = new Capture(exchange, wanted, taker)
  const req: Captured<IncomingMessage> = exchange.req
  const res: Captured<ServerResponse> = exchange.res
  req[kCapture] = captured
  res[kCapture] = captured
  res.writeHead = writeHead as ServerResponse['writeHead']
  res.write = write as ServerResponse['write']
  res.end = end as ServerResponse['end']
  res.on('close', onClose)
  // Hazard: from the next turn on the body comes, whether or not anybody else reads it by then.
  req.on('data', onData)
}

/** Whether it is kept for operators. */
export function isCaptured({ res }: Exchange): boolean {
  return (res as Captured<ServerResponse>)[kCapture]?.isWanted === true
}

function onData(this: Captured<IncomingMessage>, chunk: Buffer): void {
  this[kCapture]!.sent(chunk)
}

function onClose(this: Captured<ServerResponse>): void {
  this[kCapture]!.close()
}

/** Called as the gateway does: with a list of names and values. */
function writeHead(this: Captured<ServerResponse>, status: number, headers?: string[]): ServerResponse {
  const written = ServerResponse.prototype.writeHead.call(this, status, headers)
  this[kCapture]!.begun(status, headers ?? [], this.chunkedEncoding)
  return written
}

function write(this: Captured<ServerResponse>, ...args: unknown[]): boolean {
  this[kCapture]!.got(args[0], args[1], this.chunkedEncoding)
  return ServerResponse.prototype.write.apply(this, args as Parameters<ServerResponse['write']>)
}

function end(this: Captured<ServerResponse>, ...args: unknown[]): ServerResponse {
  this[kCapture]!.got(args[0], args[1], this.chunkedEncoding)
  return ServerResponse.prototype.end.apply(this, args as Parameters<ServerResponse['end']>)
}

/** Null: there are none, but a callback, or nothing. */
function bytesOf(chunk: unknown, encoding: unknown): Buffer | null {
  if (typeof chunk === 'string')
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  return Buffer.isBuffer(chunk) ? chunk : null
}

/** Whole chunks (RFC 9112, section 7.1) as what is in them. */
function unframed(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; ;) {
    const line = bytes.indexOf('\r\n', at)
    const length = line < 0 ? 0 : Number.parseInt(bytes.toString('latin1', at, line), 16)
    if (!(length > 0)) return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
    parts.push(bytes.subarray(line + 2, line + 2 + length))
    at = line + 4 + length
  }
}
