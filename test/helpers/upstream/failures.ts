/** Answers that go wrong: refused, malformed, stalled or cut off. */
import { frame, raw, writeFramed, type Framing } from './answers.ts'
import { completion, completionEvents, errorBody } from './completion.ts'
import type { Behaviour, Exchange } from './exchange.ts'

export interface RefusalOptions {
  readonly message?: string
  readonly type?: string
  readonly code?: string | null
  readonly param?: string | null
  readonly retryAfter?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** An error status with OpenAI's error body. */
export function refuse(status: number, options: RefusalOptions = {}): Behaviour {
  const { message = `the upstream says ${status}`, type = 'upstream_says_no', code = null, param = null } = options
  return raw(errorBody(message, type, code, param), {
    status,
    headers: { ...(options.retryAfter === undefined ? {} : { 'retry-after': options.retryAfter }), ...options.headers },
  })
}

/** Where in an answer something happens. */
export type Point =
  /** The request is read, nothing is sent. */
  | 'before-headers'
  /** The head is sent, no byte of the body. */
  | 'after-headers'
  /** A stream: after its role-only event, before the first content. */
  | 'before-first-token'
  /** A stream: after its second word. JSON: in the middle. */
  | 'mid-body'
  /** A stream: in the middle of its third word's event. */
  | 'mid-event'
  /** A stream: all events but [DONE]. JSON: all bytes but the last. */
  | 'before-the-end'

/** Answers well up to a point, and then says nothing more and keeps the connection open. */
export function stall(point: Point, framing: Framing = {}): Behaviour {
  return async (exchange) => {
    await answerUpTo(exchange, point, framing)
    await exchange.untilOver()
  }
}

/** Answers a stream whole, its [DONE] too, and then keeps the answer open. */
export function lingering(): Behaviour {
  return async (exchange) => {
    exchange.head(200, { 'content-type': 'text/event-stream' })
    await writeFramed(exchange, completionEvents(exchange.seen.model ?? 'unknown', exchange.wantsUsage), {})
    await exchange.untilOver()
  }
}

/** Answers well up to a point, and then closes the connection. */
export function cutOff(point: Point, framing: Framing = {}): Behaviour {
  return async (exchange) => {
    await answerUpTo(exchange, point, framing)
    await exchange.cut()
  }
}

/** Answers well up to a point, and then ends as if that were all: the HTTP framing is in order, the content is not. */
export function endEarly(point: Exclude<Point, 'before-headers'>, framing: Framing = {}): Behaviour {
  return async (exchange) => {
    await answerUpTo(exchange, point, framing, true)
    exchange.end()
  }
}

/** Of the 1,000 bytes of a 400's body sends the first 31, and then stops so. */
export function halfRefusal(then: 'cut' | 'reset' | 'stall'): Behaviour {
  return async (exchange) => {
    exchange.head(400, { 'content-type': 'application/json', 'content-length': 1_000 })
    await exchange.writeWhole('{"error":{"message":"half of it')
    if (then === 'stall') return exchange.untilOver()
    if (then === 'cut') return exchange.cut()
    // A reset overtakes what the peer has not read yet.
    await exchange.pause(100)
    exchange.reset()
  }
}

async function answerUpTo(exchange: Exchange, point: Point, framing: Framing, chunked = false): Promise<void> {
  if (point === 'before-headers') return
  const model = exchange.seen.model ?? 'unknown'
  if (!exchange.streams) {
    const bytes = Buffer.from(JSON.stringify(completion(model)))
    const length = {
      'after-headers': 0,
      'before-first-token': 0,
      'mid-body': bytes.length >> 1,
      'mid-event': bytes.length >> 1,
      'before-the-end': bytes.length - 1,
    }
    exchange.head(200, { 'content-type': 'application/json', ...(chunked ? {} : { 'content-length': bytes.length }) })
    if (length[point] > 0) await exchange.writeWhole(bytes.subarray(0, length[point]))
    return
  }
  exchange.head(200, { 'content-type': 'text/event-stream' })
  const all = completionEvents(model, exchange.wantsUsage)
  const count = {
    'after-headers': 0,
    'before-first-token': 1,
    'mid-body': 3,
    'mid-event': 3,
    'before-the-end': all.length,
  }[point]
  await writeFramed(exchange, all.slice(0, count), { ...framing, done: null })
  if (point === 'mid-event') {
    const [next] = frame([all[count]!], { ...framing, done: null })
    await exchange.writeWhole(next!.slice(0, next!.length >> 1))
  }
}

/** A 200 stream with an error event, after so many events of a good answer; then it ends without [DONE]. */
export function errorEvent(
  after: number,
  body = errorBody('the model fell over', 'server_error'),
  framing: Framing = {},
): Behaviour {
  return async (exchange) => {
    exchange.head(200, { 'content-type': 'text/event-stream' })
    const all = completionEvents(exchange.seen.model ?? 'unknown', exchange.wantsUsage)
    await writeFramed(exchange, [...all.slice(0, after), body], { ...framing, done: null })
    exchange.end()
  }
}

/** Accepts the request and resets the connection. */
export function reset(): Behaviour {
  return (exchange) => exchange.reset()
}
