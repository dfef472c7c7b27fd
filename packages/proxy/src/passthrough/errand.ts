/** How a request that is passed on is put to a provider, and who takes the answer. */
import { passed } from '../cache/answer-headers.ts'
import { opaqueTag } from '../cache/http/conditions.ts'
import type { Connection, Target } from '../providers/provider.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Errand } from '../request/errand.ts'
import { RefusalRelay } from '../request/relay-refusal.ts'
import type { Relay } from '../request/relay.ts'
import type { PassedCaching, Stale } from './caching.ts'
import type { PassedCall } from './call.ts'
import { addPassedHeaders } from './forwarded.ts'
import { ConfirmationRelay } from './relay-confirmation.ts'
import { PassedRelay } from './relay-passed.ts'
import { upstreamPathOf } from './target.ts'

/** Statuses of answers that tell that there is nothing any more. */
const GONE: ReadonlySet<number> = new Set([404, 410])

export class PassedErrand implements Errand {
  readonly method: string
  readonly usesTokens = false
  /** What the newest attempt may have confirmed; null: nothing. */
  private stale: Stale | null = null
  private readonly call: PassedCall
  /** Null: the cache has no part in it. */
  private readonly caching: PassedCaching | null

  constructor(method: string, call: PassedCall, caching: PassedCaching | null) {
    this.method = method
    this.call = call
    this.caching = caching
  }

  translationAt(): null {
    return null
  }

  targetAt({ targets }: Connection, model: string): Target {
    return targets.once(upstreamPathOf(this.call.endpoint), this.call.queryFor(model))
  }

  addHeaders(list: string[], attempt: Attempt): void {
    this.stale = this.caching?.staleAt(attempt) ?? null
    this.tell(attempt, '')
    const policy = this.stale?.stored.policy
    // What is stored is asked about, and nothing else: else it could not be told what a 304 confirms.
    const confirms = policy?.hasValidator === true
    addPassedHeaders(list, attempt.exchange.req.headers, !confirms)
    if (!confirms) return
    if (policy.etag !== undefined) list.push('if-none-match', policy.etag)
    if (policy.lastModified !== undefined) list.push('if-modified-since', policy.lastModified)
  }

  bodyOf(): null {
    return null
  }

  relayOf(attempt: Attempt): Relay | null {
    const { caching, stale } = this
    const status = attempt.upstreamStatus!
    if (caching !== null && stale?.stored.policy.hasValidator === true && status === 304) {
      if (isOf(stale, attempt)) return new ConfirmationRelay(attempt, caching, stale)
      caching.forget(stale)
      attempt.fail('upstream_invalid', 'the answer confirms what it was not asked about')
      return null
    }
    const fill = this.method === 'GET' ? (caching?.fill(attempt) ?? null) : null
    if (stale !== null && fill === null && replaces(status)) caching!.forget(stale)
    this.tell(attempt, `; fwd-status=${status}${fill === null ? '' : '; stored'}`)
    return status >= 400 ? new RefusalRelay(attempt, true) : new PassedRelay(attempt, fill)
  }

  /** What the answer says of the cache, as parameters of `cache-status` (RFC 9211). @param more than why it was not given */
  private tell({ exchange }: Attempt, more: string): void {
    if (this.caching !== null) exchange.cache = passed('MISS', `fwd=${this.stale?.why ?? 'uri-miss'}${more}`)
  }
}

/** Whether an answer tells that there is another now than is stored, or none; a 304 tells it of what the client has. */
function replaces(status: number): boolean {
  return GONE.has(status) || (status < 400 && status !== 304)
}

/** Whether a 304 is of what was asked about, as far as it says (RFC 9111, section 4.3.4). */
function isOf({ stored: { policy } }: Stale, { upstreamHeaders: { etag } }: Attempt): boolean {
  if (typeof etag !== 'string') return true
  return policy.etag === undefined ? etag.startsWith('W/') : opaqueTag(etag) === opaqueTag(policy.etag)
}
