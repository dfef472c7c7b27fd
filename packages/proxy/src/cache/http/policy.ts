/**
 * What RFC 9111 lets a shared cache do with an answer, by http-cache-semantics. Every answer here was asked for with an
 * upstream key, so that only section 3.5 lets it be stored: `public`, `s-maxage` or `must-revalidate`.
 *
 * The library (4.2.0) asks anew each time where an answer says `must-revalidate` or `proxy-revalidate`, though those
 * speak of stale answers alone; and it lets a request's `max-stale` overrule `no-cache`. Both are decided here.
 */
import CachePolicy from 'http-cache-semantics'

import { plainText, readDirectives, secondsOf, type Directives } from './directives.ts'

/** Headers by their names in lower case; several lines of one name as one. */
export type Fields = Readonly<Record<string, string | undefined>>

/** How a stored answer stands to a request. */
export type Verdict =
  /** It is given. */
  | 'usable'
  /** Not before the provider was asked: its time is over. */
  | 'stale'
  /** Not before the provider was asked: the request wants it so. */
  | 'refused'

/** Errors are not stored, and of what else is none a redirect followed. */
const STORED_STATUSES: ReadonlySet<number> = new Set([200, 203, 204])
/** What is for one client, a part, or in an encoding that was not asked for and that not every client reads. */
const UNSTORED_FIELDS = ['set-cookie', 'content-range', 'content-encoding'] as const
/** What was sent, as far as the rules ask for it. */
const SENT = { method: 'GET', headers: { authorization: 'an upstream key' } }
/** An answer that says so is not to be given once it is stale, whatever a request says (section 4.2.4). */
const STRICT = ['no-cache', 'must-revalidate', 'proxy-revalidate', 's-maxage']
/** What the library would read as more than it says, and what would need somebody else's request to be made. */
const LEFT_OUT = ['must-revalidate', 'proxy-revalidate', 'stale-while-revalidate']
const READ_FIELDS = ['date', 'expires', 'last-modified', 'etag'] as const
/** How long what may be of use though it is stale is kept beyond that. */
const STALE_MS = 86_400_000
/** Nothing is of use for longer. */
const LONGEST_MS = 31 * 86_400_000

/** How long one answer may be given, and to whom. */
export class ResponsePolicy {
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  private readonly policy: CachePolicy
  /** Whether it is never to be given stale. */
  private readonly strict: boolean
  private readonly staleIfErrorSeconds: number

  private constructor(fields: Fields, directives: Directives, policy: CachePolicy) {
    this.etag = fields['etag']
    this.lastModified = fields['last-modified']
    this.policy = policy
    this.strict = STRICT.some((name) => directives.has(name))
    this.staleIfErrorSeconds = this.strict ? 0 : (secondsOf(directives, 'stale-if-error') ?? 0)
  }

  /**
   * @param fields the answer's headers
   * @param askedAt when the request was sent, in milliseconds since 1970: the answer may be as old (section 4.2.3)
   * @returns null: the answer may not be stored, or would never be of use
   */
  static of(status: number, fields: Fields, askedAt: number): ResponsePolicy | null {
    if (!STORED_STATUSES.has(status) || UNSTORED_FIELDS.some((name) => fields[name] !== undefined)) return null
    const directives = readDirectives(fields['cache-control'])
    const headers = { ...fields, 'cache-control': plainText(directives) }
    if (!new CachePolicy(SENT, { status, headers }).storable()) return null
    const policy = new ResponsePolicy(fields, directives, timely(status, fields, directives, askedAt))
    return policy.isOfUse ? policy : null
  }

  /** Seconds since the provider has made it, or said that it still holds. */
  get age(): number {
    return Math.max(0, Math.floor(this.policy.age()))
  }

  /** Seconds for which it may be given unasked; negative once it is stale. */
  get freshFor(): number {
    return Math.floor(this.policy.maxAge() - this.policy.age())
  }

  /** For how long it is worth its room, in milliseconds from now. */
  get lifetimeMs(): number {
    const freshMs = Math.max(0, this.policy.maxAge() - this.policy.age()) * 1000
    const staleMs = this.hasValidator || !this.strict ? STALE_MS : 0
    return Math.min(freshMs + staleMs, LONGEST_MS)
  }

  get hasValidator(): boolean {
    return this.etag !== undefined || this.lastModified !== undefined
  }

  /** @param directives of the request's `cache-control` */
  judge(directives: Directives): Verdict {
    const asked = new Map(directives)
    if (this.strict) asked.delete('max-stale')
    const { revalidation } = this.policy.evaluateRequest({
      method: 'GET',
      headers: { ...SENT.headers, 'cache-control': plainText(asked) },
    })
    if (revalidation === undefined) return 'usable'
    return this.policy.stale() ? 'stale' : 'refused'
  }

  /**
   * Whether it may stand in for an answer that the provider could not give (RFC 5861, section 4).
   * @param directives of the request's `cache-control`
   */
  standsInForErrors(directives: Directives): boolean {
    if (directives.has('no-cache') || this.staleIfErrorSeconds === 0) return false
    return this.policy.maxAge() + this.staleIfErrorSeconds > this.policy.age()
  }

  private get isOfUse(): boolean {
    return this.hasValidator || this.policy.maxAge() > this.policy.age()
  }
}

/** What the library is to reckon times by. It may be stored, as has been found: it need not be asked again. */
function timely(status: number, fields: Fields, directives: Directives, askedAt: number): CachePolicy {
  const kept = new Map(directives)
  for (const name of LEFT_OUT) kept.delete(name)
  kept.set('public', '')
  const headers: Record<string, string> = { 'cache-control': plainText(kept) }
  for (const name of READ_FIELDS) {
    const value = fields[name]
    if (value !== undefined) headers[name] = value
  }
  // Of several, the first counts (section 5.1).
  const age = /^\s*(\d+)\s*(?:,|$)/.exec(fields['age'] ?? '')
  if (age !== null) headers['age'] = age[1]!
  return CachePolicy.fromObject({ ...new CachePolicy(SENT, { status, headers }).toObject(), t: askedAt })
}
