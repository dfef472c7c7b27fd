/** Answers that are in order, in every spelling and framing that a provider may choose. */
import type { OutgoingHttpHeaders } from 'node:http'
import { gzipSync } from 'node:zlib'

import { completion, completionEvents } from './completion.ts'
import type { Behaviour, Exchange } from './exchange.ts'

export interface JsonOptions {
  readonly status?: number
  readonly headers?: OutgoingHttpHeaders
  readonly gzip?: boolean
  /** Without `content-length`, in chunks of so many bytes. */
  readonly chunked?: number
}

/** These bytes as the answer, JSON or not, with a `content-length`. */
export function raw(body: string | Buffer, options: JsonOptions = {}): Behaviour {
  return async (exchange) => {
    const plain = Buffer.from(body)
    const bytes = options.gzip ? gzipSync(plain) : plain
    const headers = {
      'content-type': 'application/json',
      ...(options.gzip ? { 'content-encoding': 'gzip' } : {}),
      ...options.headers,
    }
    if (options.chunked === undefined) {
      exchange.head(options.status ?? 200, { ...headers, 'content-length': bytes.length })
      await exchange.writeWhole(bytes)
    } else {
      exchange.head(options.status ?? 200, headers)
      for (let at = 0; at < bytes.length; at += options.chunked) {
        await exchange.writeWhole(bytes.subarray(at, at + options.chunked))
        await nextTurn()
      }
    }
    exchange.end()
  }
}

export interface Framing {
  readonly newline?: '\n' | '\r\n' | '\r'
  /** `data: x` or `data:x`. */
  readonly space?: boolean
  /** A line before each event, such as `: ping` or `event: message`. */
  readonly before?: string
  /** What ends the stream; null for nothing. */
  readonly done?: string | null
  /** Whether the last event is followed by its blank line. */
  readonly lastBlankLine?: boolean
  /** How the bytes are cut into HTTP chunks: one an event, all in one, or so many bytes each. */
  readonly split?: 'event' | 'all' | number
  /** Between chunks. */
  readonly gapMs?: number
  readonly status?: number
  readonly headers?: OutgoingHttpHeaders
}

/** The bytes of a stream of these events' data. */
export function frame(data: readonly string[], framing: Framing = {}): string[] {
  const { newline = '\n', space = true, before, done = '[DONE]', lastBlankLine = true } = framing
  const all = done === null ? data : [...data, done]
  return all.map((one, index) => {
    const last = index === all.length - 1 && !lastBlankLine
    return `${before === undefined ? '' : before + newline}data:${space ? ' ' : ''}${one}${last ? '' : newline + newline}`
  })
}

/** A stream of these events' data, framed so. */
export function events(data: readonly string[], framing: Framing = {}): Behaviour {
  return async (exchange) => {
    exchange.head(framing.status ?? 200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      ...framing.headers,
    })
    await writeFramed(exchange, data, framing)
    exchange.end()
  }
}

/** Writes events without ending the answer. */
export async function writeFramed(exchange: Exchange, data: readonly string[], framing: Framing): Promise<void> {
  await writePieces(exchange, pieces(frame(data, framing), framing.split ?? 'event'), framing.gapMs)
}

/** Writes an HTTP chunk each, without ending the answer. */
export async function writePieces(exchange: Exchange, all: readonly Buffer[], gapMs = 0): Promise<void> {
  for (const piece of all) {
    if (exchange.signal.aborted) return
    await exchange.writeWhole(piece)
    if (gapMs) await exchange.pause(gapMs)
    else await nextTurn()
  }
}

function pieces(frames: readonly string[], split: 'event' | 'all' | number): Buffer[] {
  if (split === 'event') return frames.map((one) => Buffer.from(one))
  const bytes = Buffer.from(frames.join(''))
  return split === 'all' ? [bytes] : piecesOf(bytes, split)
}

/** So many bytes each. */
export function piecesOf(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

/** Lets the kernel have one chunk before the next: else libuv writes them together. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export interface AnswerOptions extends Framing, Pick<JsonOptions, 'gzip' | 'chunked'> {
  readonly words?: readonly string[]
  /** The model that the answer names; else the one that was asked for. */
  readonly model?: string
  /** Milliseconds before the answer begins. */
  readonly afterMs?: number
}

/** A good answer of the endpoint that was asked, streamed if that was asked, with usage if that was asked. */
export function answer(options: AnswerOptions = {}): Behaviour {
  return async (exchange) => {
    if (options.afterMs) await exchange.pause(options.afterMs)
    const model = options.model ?? exchange.seen.model ?? 'unknown'
    if (exchange.streams) {
      const data = completionEvents(model, exchange.wantsUsage, options.words)
      if (!options.gzip) return events(data, options)(exchange)
      return raw(frame(data, options).join(''), { gzip: true, headers: { 'content-type': 'text/event-stream' } })(
        exchange,
      )
    }
    return raw(JSON.stringify(completion(model, options.words)), options)(exchange)
  }
}
