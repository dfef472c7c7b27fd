/** What a client's `cache-control` asks of stored answers: RFC 9111, section 5.2.1. */
import type { IncomingHttpHeaders } from 'node:http'

import { readDirectives } from './http/directives.ts'

export interface RequestDirectives {
  /** Whether the answer may be stored. If not, the cache has nothing to do with the request at all. */
  readonly store: boolean
  /** Whether a stored answer may be given. */
  readonly read: boolean
  /** Whether no provider is to be asked. */
  readonly onlyIfCached: boolean
  /** An older answer is not given, and what is stored for this request lives no longer. Infinity: nothing is said. */
  readonly maxAgeMs: number
  /** For how long an answer must still live to be given. */
  readonly minFreshMs: number
}

const NOTHING_SAID: RequestDirectives = {
  store: true,
  read: true,
  onlyIfCached: false,
  maxAgeMs: Infinity,
  minFreshMs: 0,
}
const NO_CACHE: RequestDirectives = { ...NOTHING_SAID, read: false }
/** What is larger counts as this (section 1.2.2). */
const MOST_SECONDS = 2 ** 31

/**
 * Reads what a request says of stored answers. Unknown directives say nothing, nor does `max-stale`: nothing is kept beyond
 * its time. `max-age=0` is `no-cache`; an age that is no number counts as 0, as for answers (section 4.2.1). Of a directive
 * that is there twice, the first counts.
 */
export function requestDirectives(headers: IncomingHttpHeaders): RequestDirectives {
  const said = headers['cache-control']
  if (said === undefined) return headers.pragma === undefined ? NOTHING_SAID : byPragma(headers.pragma)
  const directives = readDirectives(said)
  const maxAgeMs = millisecondsOf(directives.get('max-age'), Infinity, 0)
  const minFreshMs = millisecondsOf(directives.get('min-fresh'), 0, Infinity)
  const store = !directives.has('no-store')
  const read = store && !directives.has('no-cache') && maxAgeMs > 0 && minFreshMs < Infinity
  const onlyIfCached = directives.has('only-if-cached')
  return { store, read, onlyIfCached, maxAgeMs: maxAgeMs > 0 ? maxAgeMs : Infinity, minFreshMs: read ? minFreshMs : 0 }
}

/** Of before there was `cache-control`, and without a meaning beside it (section 5.4). */
function byPragma(pragma: string): RequestDirectives {
  return readDirectives(pragma).has('no-cache') ? NO_CACHE : NOTHING_SAID
}

function millisecondsOf(seconds: string | undefined, absent: number, invalid: number): number {
  if (seconds === undefined) return absent
  return /^\d+$/.test(seconds) ? Math.min(Number(seconds), MOST_SECONDS) * 1000 : invalid
}
