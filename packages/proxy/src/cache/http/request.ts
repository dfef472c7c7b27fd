/** What a request says of caches (RFC 9111, section 5.2.1; RFC 9110, section 13). */
import type { IncomingHttpHeaders } from 'node:http'

import type { Held } from './conditions.ts'
import { readDirectives, type Directives } from './directives.ts'

const NO_CACHE: Directives = new Map([['no-cache', '']])

/** A request that is for a part of an answer, or depends on one as only the provider knows it. */
const PAST_CACHES = ['range', 'if-range', 'if-match', 'if-unmodified-since'] as const

export interface CacheRequest {
  readonly directives: Directives
  /** Whether no cache is asked for it, nor filled by it. */
  readonly bypass: boolean
  readonly held: Held
}

export function readCacheRequest(headers: IncomingHttpHeaders): CacheRequest {
  const { 'cache-control': cacheControl, pragma } = headers
  // Section 5.4: the word of HTTP/1.0, where there is no other.
  const old = cacheControl === undefined && pragma !== undefined && /\bno-cache\b/i.test(pragma)
  const directives = old ? NO_CACHE : readDirectives(cacheControl)
  return {
    directives,
    bypass: directives.has('no-store') || goesPast(headers),
    held: { ifNoneMatch: headers['if-none-match'] ?? null, ifModifiedSince: headers['if-modified-since'] ?? null },
  }
}

function goesPast(headers: IncomingHttpHeaders): boolean {
  for (const name of PAST_CACHES) if (headers[name] !== undefined) return true
  return false
}
