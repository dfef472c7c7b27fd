/** What an answer says of the cache: `x-cache`, and `cache-status` as RFC 9211 writes it. */
import type { CacheOutcome, CacheTier } from '@millrace/shared'

/** A provider was asked, for this request or for another that is the same. */
export interface CachePassed {
  readonly outcome: Exclude<CacheOutcome, 'HIT'>
  /** Names and values in turn. */
  readonly fields: readonly string[]
}

/** A stored answer is given. */
export interface CacheHit {
  readonly outcome: 'HIT'
  readonly tier: CacheTier
  /** In milliseconds since 1970, as is {@link expiresAt}. */
  readonly storedAt: number
  readonly expiresAt: number
  /** With its quotes. */
  readonly etag: string
}

/** The same, where there is more to say of it. */
export interface CacheTold {
  readonly outcome: 'HIT'
  readonly tier: CacheTier
  /** Names and values in turn. */
  readonly fields: readonly string[]
}

export type CacheSaid = CachePassed | CacheHit | CacheTold

/** The alias has no cache, or its answers can't be told apart by a key. */
export const BYPASSED = passed('BYPASS', 'fwd=bypass')
/** The request wants no part in the cache: `no-store`, an upstream key of its own. */
export const BYPASSED_BY_REQUEST = passed('BYPASS', 'fwd=request')
/** Answers to such a method are not stored. */
export const BYPASSED_BY_METHOD = passed('BYPASS', 'fwd=method')
/** Nothing was stored that could be given. */
export const MISSED = passed('MISS', 'fwd=uri-miss')
/** What is stored was not to be given: `no-cache`, `max-age`, `min-fresh`. */
export const MISSED_BY_REQUEST = passed('MISS', 'fwd=request')
export const COALESCED = passed('COALESCED', 'fwd=uri-miss; collapsed')
export const COALESCED_BY_REQUEST = passed('COALESCED', 'fwd=request; collapsed')

/** @param how parameters of `cache-status` */
export function passed(outcome: CachePassed['outcome'], how: string): CachePassed {
  return { outcome, fields: fieldsOf(outcome, how) }
}

/**
 * @param how parameters of `cache-status`
 * @param age in seconds
 */
export function told(tier: CacheTier, how: string, age: number): CacheTold {
  return { outcome: 'HIT', tier, fields: [...fieldsOf('HIT', how), 'age', String(age)] }
}

function fieldsOf(outcome: CacheOutcome, how: string): string[] {
  return ['x-cache', outcome, 'cache-status', `Millrace; ${how}`]
}

/** @param list of names and values in turn, to which they are added */
export function addCacheHeaders(list: string[], said: CacheSaid): void {
  if ('fields' in said) for (const text of said.fields) list.push(text)
  else addHit(list, said)
}

function addHit(list: string[], { tier, storedAt, expiresAt, etag }: CacheHit): void {
  const now = Date.now()
  list.push(
    'x-cache',
    'HIT',
    'cache-status',
    `Millrace; hit; ttl=${seconds(expiresAt - now)}; detail=${tier}`,
    'age',
    String(seconds(now - storedAt)),
    'etag',
    etag,
  )
}

/** Whole ones, and never fewer than none: another proxy's clock may be ahead of this one's. */
function seconds(milliseconds: number): number {
  return Math.max(0, Math.floor(milliseconds / 1000))
}
