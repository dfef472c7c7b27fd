/**
 * Cross-origin requests of browsers (WHATWG Fetch, "CORS protocol"). Any origin may ask, since it is the token, sent by hand,
 * that lets a request in, and never something that a browser adds; a token's own `origins` are checked with the request.
 */
import type { Exchange } from '../request/exchange.ts'

/** How long a browser may remember a preflight, in seconds. */
const MAX_AGE = '86400'
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
/** Names of headers, RFC 9110's tokens. */
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]+( *, *[\w!#$%&'*+.^`|~-]+)*$/
const LONGEST_LIST = 4_096

/** What a page may read of an answer besides its body. */
const EXPOSED = [
  'x-request-id',
  'x-millrace-id',
  'x-millrace-provider',
  'x-millrace-model',
  'x-millrace-attempts',
  'x-millrace-revision',
  'x-millrace-overhead-ms',
  'x-millrace-cost-usd',
  'x-millrace-upstream-request-id',
  'x-cache',
  'cache-status',
  'age',
  'etag',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-tokens',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
].join(', ')

/** Whether a request only asks, on a browser's behalf, whether another may be sent. */
export function isPreflight({ method, headers }: Request): boolean {
  return method === 'OPTIONS' && headers.has('origin') && headers.has('access-control-request-method')
}

/** Says yes: to any origin and method, and to the headers that are asked for. It carries no key yet. */
export function answerPreflight({ headers: asked }: Request): Response {
  const headers = new Headers({
    'access-control-allow-origin': asked.get('origin') ?? '',
    'access-control-allow-methods': METHODS,
    'access-control-max-age': MAX_AGE,
    vary: 'origin, access-control-request-method, access-control-request-headers',
  })
  const names = asked.get('access-control-request-headers') ?? ''
  if (names.length <= LONGEST_LIST && HEADER_NAMES.test(names)) headers.set('access-control-allow-headers', names)
  return new Response(null, { status: 204, headers })
}

/** Lets the page that asked read the answer, unless its token is not for pages of that origin. */
export function addCorsHeaders(list: string[], { token }: Exchange, origin: string): void {
  list.push('vary', 'origin')
  if (token !== null && token.access !== null && !token.access.allowsOrigin(origin)) return
  list.push('access-control-allow-origin', origin, 'access-control-expose-headers', EXPOSED)
}
