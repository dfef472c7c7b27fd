/** Errors, as answers and as events of a stream, in the form that the client's API has for them. */
import { GatewayError, type ErrorCode } from '@millrace/shared'

import { latin1FromUtf8 } from '../stream/json.ts'
import { addUpstreamHeaders, gatewayHeaders } from './answer-headers.ts'
import type { Exchange } from './exchange.ts'
import { awaitsWord } from './expected.ts'
import type { Refusal } from './failure.ts'

/** How long a client that is still sending a body which was refused may take until it has read the answer. */
const LINGER_MS = 5_000

/** The gateway has made all the attempts that it makes: a client that tried again would only multiply them. */
const USED_UP: ReadonlySet<ErrorCode> = new Set([
  'all_routes_failed',
  'upstream_credentials_exhausted',
  'upstream_timeout',
])

/** The same would be refused again, for longer than anybody should wait. */
const EXHAUSTED: ReadonlySet<ErrorCode> = new Set(['request_quota_exceeded', 'budget_exceeded'])

/**
 * The event that tells a client that its stream has failed; nothing follows it, `[DONE]` neither.
 * @param sequence see {@link ErrorForm.event}
 * @returns its bytes as latin1
 */
export function errorEvent(
  { errors, requestId }: Exchange,
  code: ErrorCode,
  message: string,
  sequence: number,
): string {
  const event = errors.event(new GatewayError(code, message), requestId, sequence)
  return latin1FromUtf8(event)
}

/** Ends a request with an error of the gateway's own. */
export function sendError(exchange: Exchange, error: GatewayError): void {
  const { req, res } = exchange
  if (res.headersSent || res.destroyed) {
    res.destroy()
    return
  }
  const headers = gatewayHeaders(exchange)
  if (error.retryAfterMs !== null) {
    headers.push(
      'retry-after',
      String(Math.ceil(error.retryAfterMs / 1000)),
      'retry-after-ms',
      String(Math.ceil(error.retryAfterMs)),
    )
  }
  if (isFinal(error, wasAttempted(exchange))) headers.push('x-should-retry', 'false')
  if (error.allow !== null) headers.push('allow', error.allow)
  // Its next connection leads to who serves on.
  if (error.code === 'shutting_down') headers.push('connection', 'close')
  const text = exchange.errors.body(error, exchange.requestId)
  headers.push('content-type', 'application/json', 'content-length', String(Buffer.byteLength(text)))
  if (error.code === 'request_too_large' && !req.complete && !awaitsWord(req)) {
    headers.push('connection', 'close')
    res.writeHead(error.status, headers)
    res.write(text)
    linger(exchange)
  } else {
    res.writeHead(error.status, headers)
    exchange.end(text)
  }
}

/** Whether a provider was asked: not if none could be. */
export function wasAttempted({ flight }: Exchange): boolean {
  return flight !== null && flight.attempts.some(({ failure }) => (failure?.unsent ?? null) === null)
}

/** Whether a client that tried again would gain nothing, or is not wanted to. */
function isFinal({ code, retryAfterMs }: GatewayError, attempted: boolean): boolean {
  if (code === 'admin_cancelled') return true
  if (USED_UP.has(code)) return attempted
  return EXHAUSTED.has(code) || (code === 'rate_limit_exceeded' && retryAfterMs === null)
}

/** Ends a request with the provider's refusal, its body as it came. */
export function sendRefusal(exchange: Exchange, { status, headers: upstream, body: bytes }: Refusal): void {
  const headers = gatewayHeaders(exchange)
  addUpstreamHeaders(headers, upstream)
  const encoding = upstream['content-encoding']
  if (typeof encoding === 'string') headers.push('content-encoding', encoding)
  // To a HEAD it would be that of another answer.
  if (exchange.req.method !== 'HEAD') headers.push('content-length', String(bytes.length))
  exchange.res.writeHead(status, headers)
  exchange.end(bytes)
}

/**
 * Reads on, into nothing, before the connection closes: closing it at once would reset it, and the client, still
 * sending, would lose the answer (RFC 9112, section 9.6).
 */
function linger({ req, res }: Exchange): void {
  const timer = setTimeout(() => res.end(), LINGER_MS)
  req.resume()
  req.once('close', () => clearTimeout(timer))
  req.once('end', () => res.end())
}
