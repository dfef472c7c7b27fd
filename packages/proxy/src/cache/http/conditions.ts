/** What a client says that it has already (RFC 9110, section 13), compared with what is stored. */

/** An entity tag, weak or strong, its quotes with it (section 8.8.3). */
const ENTITY_TAG = /(?:W\/)?"[^"]*"/g

/** Whether a list of entity tags, or `*`, names this one: weakly compared, as `If-None-Match` is (section 13.1.2). */
export function namesTag(ifNoneMatch: string, etag: string | undefined): boolean {
  if (ifNoneMatch.trim() === '*') return true
  if (etag === undefined) return false
  const opaque = opaqueTag(etag)
  for (const [tag] of ifNoneMatch.matchAll(ENTITY_TAG)) if (opaqueTag(tag) === opaque) return true
  return false
}

/** Without what says that it is weak. */
export function opaqueTag(etag: string): string {
  return etag.trim().replace(/^W\//, '')
}

/** What a client has, as its request says; null: it says nothing of that. */
export interface Held {
  readonly ifNoneMatch: string | null
  readonly ifModifiedSince: string | null
}

/**
 * Whether a client has what is stored (section 13.2.2: where it names tags, its date does not count).
 * @param lastModified as an HTTP date; undefined: not known
 */
export function holds(
  { ifNoneMatch, ifModifiedSince }: Held,
  etag: string | undefined,
  lastModified: string | undefined,
): boolean {
  if (ifNoneMatch !== null) return namesTag(ifNoneMatch, etag)
  if (ifModifiedSince === null || lastModified === undefined) return false
  return timeOf(lastModified) <= timeOf(ifModifiedSince)
}

/** NaN, which is neither above nor below anything, for what is no HTTP date (RFC 9110, section 5.6.7). */
function timeOf(date: string): number {
  return /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(date) ? Date.parse(date) : Number.NaN
}
