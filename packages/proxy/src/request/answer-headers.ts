/** The headers of an answer: ours, and those of the provider's that a client may see. */
import { addCorsHeaders } from '../access/cors.ts'
import { addCacheHeaders } from '../cache/answer-headers.ts'
import { HOP_BY_HOP, namedByConnection } from '../header-fields.ts'
import { headerText } from '../header-text.ts'
import type { RateStanding } from '../limits/store.ts'
import type { UpstreamHeaders } from '../upstream/call.ts'
import { attemptsOf } from './account.ts'
import type { Attempt } from './attempt.ts'
import type { Exchange } from './exchange.ts'

/**
 * Not passed on: hop-by-hop fields and framing (RFC 9110, section 7.6.1), what would speak for our origin instead of the
 * provider's (cookies, CORS, HSTS, alternative services), and the provider's account and limits, which are not the client's;
 * nor what a cache of the provider's says, which is not this one.
 */
const KEPT_BACK: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  'content-encoding',
  'date',
  'server',
  'via',
  'set-cookie',
  'strict-transport-security',
  'alt-svc',
  'openai-organization',
  'openai-project',
  'anthropic-organization-id',
  'www-authenticate',
  'x-cache',
  'cache-status',
])

/** Names and values in turn: the request's ids, and where it went if it went anywhere. */
export function gatewayHeaders(exchange: Exchange): string[] {
  const headers = ['x-request-id', exchange.requestId, 'x-millrace-id', exchange.id]
  const { requestIdHeader } = exchange.errors
  if (requestIdHeader !== null) headers.push(requestIdHeader, exchange.requestId)
  const { flight, stored, snapshot, admission } = exchange
  if (stored !== null) addOrigin(headers, headerText(stored.providerName), stored.providerModel, exchange)
  else if (flight?.attempt) {
    const { route, model } = flight.attempt
    addOrigin(headers, route.provider.headerName, model, exchange)
  }
  if (flight !== null || stored !== null) addCacheHeaders(headers, exchange.cache)
  if (snapshot) headers.push('x-millrace-revision', String(snapshot.revision))
  headers.push('x-millrace-overhead-ms', exchange.overheadMs().toFixed(2))
  if (admission !== null) {
    if (admission.requests !== null) addStanding(headers, 'requests', admission.requests)
    if (admission.tokens !== null) addStanding(headers, 'tokens', admission.tokens)
  }
  const { origin } = exchange.req.headers
  if (origin !== undefined) addCorsHeaders(headers, exchange, origin)
  return headers
}

function addOrigin(headers: string[], provider: string, model: string, exchange: Exchange): void {
  headers.push('x-millrace-provider', provider)
  // A path that is passed on may name none.
  if (model !== '') headers.push('x-millrace-model', headerText(model))
  headers.push('x-millrace-attempts', String(attemptsOf(exchange).length))
}

function addStanding(headers: string[], rate: string, { limit, remaining, resetMs }: RateStanding): void {
  headers.push(
    `x-ratelimit-limit-${rate}`,
    String(limit),
    `x-ratelimit-remaining-${rate}`,
    String(remaining),
    `x-ratelimit-reset-${rate}`,
    duration(resetMs),
  )
}

/** `12ms`, `1s`, `6m0s`: what is less than the last unit is rounded up. */
function duration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.ceil(milliseconds)}ms`
  const seconds = Math.ceil(milliseconds / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}

/** A stream must reach the client as it comes: no cache, and no buffering in a proxy before us (nginx's header). */
export const STREAM_HEADERS = ['cache-control', 'no-cache', 'x-accel-buffering', 'no']

/** What an answer says of itself as its client gets it: the provider's headers, and what the provider was not told. */
export function addAnswerHeaders(
  list: string[],
  { answerHeaders, asked: { dropped, estimated } }: Attempt,
  except: readonly string[] = [],
): void {
  addUpstreamHeaders(list, answerHeaders, except)
  if (dropped.length > 0) list.push('x-millrace-dropped-params', headerText(dropped.join(', ')))
  if (estimated) list.push('x-millrace-estimated', 'true')
}

/** By which providers name a request: OpenAI, Anthropic, AWS, Azure. */
const REQUEST_IDS: ReadonlySet<string> = new Set(['x-request-id', 'request-id', 'x-amzn-requestid', 'apim-request-id'])

/** Adds the provider's end-to-end headers; its request id goes by a name of its own. @param except lower-case names to leave out */
export function addUpstreamHeaders(list: string[], headers: UpstreamHeaders, except: readonly string[] = []): void {
  const named = namedByConnection(headers['connection'])
  let identified = false
  for (const name in headers) {
    if (KEPT_BACK.has(name) || except.includes(name) || named.includes(name)) continue
    if (
      name.startsWith('x-millrace-') ||
      name.startsWith('x-ratelimit-') ||
      name.startsWith('anthropic-ratelimit-') ||
      name.startsWith('access-control-')
    )
      continue
    const value = headers[name]
    if (REQUEST_IDS.has(name)) {
      if (!identified && value !== undefined) list.push('x-millrace-upstream-request-id', String(value))
      identified = true
    } else if (typeof value === 'string') list.push(name, value)
    else if (value) for (const each of value) list.push(name, each)
  }
}
