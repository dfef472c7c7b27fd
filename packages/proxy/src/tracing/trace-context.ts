/** W3C trace context (https://www.w3.org/TR/trace-context/): which trace a request belongs to, and how that is passed on. */
import { randomFillSync } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** One span's place in its trace. */
export interface TraceContext {
  /** 32 and 16 hexadecimal digits, not all zero. */
  readonly traceId: string
  readonly spanId: string
  /** Whether it is kept. */
  readonly sampled: boolean
  /** `tracestate`, as it came; empty: there is none. Other systems' business, and only passed on. */
  readonly state: string
}

/** Section 3.2.2. What a later version puts behind a further `-` is not understood here, and allowed. */
const PARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/
/** 55 are version 00's. The ids hold on to the whole of it. */
const LONGEST_PARENT = 256
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)
const SAMPLED = 1
/** More is not passed on; section 3.3.1.5 asks for 512 at least. */
const LONGEST_STATE = 4_096

/** What the sender of a request says of itself; null: nothing that can be understood, so that a trace begins here. */
export function parentOf(headers: IncomingHttpHeaders): TraceContext | null {
  const { traceparent } = headers
  if (typeof traceparent !== 'string' || traceparent.length > LONGEST_PARENT) return null
  const match = PARENT.exec(traceparent.trim())
  if (match === null) return null
  const [, version, traceId, spanId, flags, more] = match
  if (version === 'ff' || (version === '00' && more !== undefined)) return null
  if (traceId === NO_TRACE || spanId === NO_SPAN) return null
  const { tracestate } = headers
  const state = typeof tracestate === 'string' && tracestate.length <= LONGEST_STATE ? tracestate : ''
  return { traceId: traceId!, spanId: spanId!, sampled: (Number.parseInt(flags!, 16) & SAMPLED) === SAMPLED, state }
}

/** A span below another. */
export function childOf({ traceId, sampled, state }: TraceContext): TraceContext {
  return { traceId, spanId: newSpanId(), sampled, state }
}

/**
 * Puts a span into the headers of a request, in place of what its client has sent.
 * @param list names, in lower case, and values in turn
 */
export function propagate({ traceId, spanId, sampled, state }: TraceContext, list: string[]): void {
  let kept = 0
  for (let i = 0; i < list.length; i += 2) {
    const name = list[i]!
    if (name === 'traceparent' || name === 'tracestate') continue
    list[kept++] = name
    list[kept++] = list[i + 1]!
  }
  list.length = kept
  list.push('traceparent', `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`)
  if (state !== '') list.push('tracestate', state)
}

const POOL = Buffer.allocUnsafe(4_096)
let used = POOL.length

export function newTraceId(): string {
  return newId(16)
}

export function newSpanId(): string {
  return newId(8)
}

/** One of all zeroes will not come: it would take longer than there are planets. */
function newId(bytes: number): string {
  if (used + bytes > POOL.length) {
    randomFillSync(POOL)
    used = 0
  }
  used += bytes
  return POOL.toString('hex', used - bytes, used)
}
