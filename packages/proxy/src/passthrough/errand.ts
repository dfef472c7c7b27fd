/** How a request that is passed on is put to a provider, and who takes the answer. */
import { passed } from '../cache/answer-headers.ts'
import { opaqueTag } from '../cache/http/conditions.ts'
import type { Connection, Target } from '../providers/provider.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Errand } from '../request/errand.ts'
import { RefusalRelay } from '../request/relay-refusal.ts'
import type { Relay } from '../request/relay.ts'
import type { AnyBody } from '../upstream/upstream.ts'
import { isPlainJson } from './body.ts'
import type { PassedCaching, Stale } from './caching.ts'
import type { PassedCall } from './call.ts'
import { addBodyHeaders, addPassedHeaders } from './forwarded.ts'
import { ConfirmationRelay } from './relay-confirmation.ts'
import { PassedRelay } from './relay-passed.ts'
import { ReadRelay } from './relay-read.ts'
import { upstreamPathOf } from './target.ts'
import type { ClientBody } from './upload.ts'
import { UsageTail } from './usage.ts'

/** Statuses of answers that tell that there is nothing any more. */
const GONE: ReadonlySet<number> = new Set([404, 410])

abstract class PassedErrand implements Errand {
  readonly method: string
  readonly usesTokens = false
  protected readonly call: PassedCall

  constructor(method: string, call: PassedCall) {
    this.method = method
    this.call = call
  }

  translationAt(): null {
    return null
  }

  targetAt({ targets }: Connection, model: string): Target {
    return targets.passed(upstreamPathOf(this.call.endpoint), this.call.queryFor(model), model)
  }

  abstract addHeaders(list: string[], attempt: Attempt): void
  abstract bodyOf(attempt: Attempt): AnyBody
  abstract relayOf(attempt: Attempt): Relay | null
}

/** GET and HEAD: their answers may come from the cache, and go into it. */
export class FetchErrand extends PassedErrand {
  /** What the newest attempt may have confirmed; null: nothing. */
  private stale: Stale | null = null
  /** Null: the cache has no part in it. */
  private readonly caching: PassedCaching | null

  constructor(method: string, call: PassedCall, caching: PassedCaching | null) {
    super(method, call)
    this.caching = caching
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
    return status >= 400 ? new RefusalRelay(attempt, true) : new PassedRelay(attempt, fill, null)
  }

  /** What the answer says of the cache, as parameters of `cache-status` (RFC 9211). @param more than why it was not given */
  private tell({ exchange }: Attempt, more: string): void {
    if (this.caching !== null) exchange.cache = passed('MISS', `fwd=${this.stale?.why ?? 'uri-miss'}${more}`)
  }
}

/** Methods that leave what is there as it is (RFC 9110, section 9.2.1; QUERY: its own). */
const SAFE: ReadonlySet<string> = new Set(['OPTIONS', 'QUERY'])

/** All other methods, with a body or without. */
export class SendErrand extends PassedErrand {
  /** A body that is not read; null: it has none, or {@link call} has it. */
  private readonly body: ClientBody | null
  /** Where answers are stored that may not hold any longer; null: nowhere. */
  private readonly caching: PassedCaching | null

  constructor(method: string, call: PassedCall, body: ClientBody | null, caching: PassedCaching | null) {
    super(method, call)
    this.body = body
    this.caching = caching
  }

  get awaitsClient(): boolean {
    return this.body !== null && this.body.awaited
  }

  addHeaders(list: string[], { exchange }: Attempt): void {
    const { headers } = exchange.req
    addPassedHeaders(list, headers, true)
    if (this.body !== null || this.call.bodyLength > 0) addBodyHeaders(list, headers, this.body !== null)
  }

  bodyOf({ model }: Attempt): AnyBody {
    return this.body === null ? this.call.encode(model) : this.body.open()
  }

  relayOf(attempt: Attempt): Relay {
    const { method, call, body, caching } = this
    const status = attempt.upstreamStatus!
    if (status >= 400) {
      body?.stop()
      return new RefusalRelay(attempt, true)
    }
    if (!SAFE.has(method)) caching?.invalidate(attempt)
    // What an object that is kept says it has used was not used by this request.
    if (method !== 'POST' || call.keepsState || status === 204 || status >= 300)
      return new PassedRelay(attempt, null, null)
    const { 'content-encoding': encoding, 'content-length': length } = attempt.upstreamHeaders
    const type = attempt.contentType ?? ''
    const held = isPlainJson(type, encoding) && Number(length ?? 0) <= attempt.exchange.gateway.maxBodyBytes
    if (held) return new ReadRelay(attempt)
    return new PassedRelay(attempt, null, type.startsWith('text/event-stream') ? new UsageTail() : null)
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
