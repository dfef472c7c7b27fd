/**
 * Answers to passed-through GETs, in memory, as a shared cache keeps them (RFC 9111). Must never know requests' clients,
 * nor how answers are sent.
 */
import { hash } from 'node:crypto'

import type { UpstreamHeaders } from '../../upstream/call.ts'
import { ENTRY_BYTES, MemoryTier, STRING_BYTES, type Kept, type MemoryRoom } from '../memory-tier.ts'
import type { Purges } from '../purges.ts'
import { ResponsePolicy, type Fields } from './policy.ts'
import {
  fieldsOf,
  sizeOf,
  storedHeaders,
  storedResponse,
  updatedHeaders,
  type ResponseOrigin,
  type StoredResponse,
} from './response.ts'
import { varyingNames } from './vary.ts'

/** Bytes of a body: a larger one is not stored. */
export const MOST_BODY_BYTES = 4 * 1024 * 1024

/** Answers on their way to be stored may take as much beside the room as this part of it. */
const FILLING_PART = 1 / 2

/** Where an answer is to be found. */
export interface ResponseKey extends ResponseOrigin {
  /** Of all that is known before the provider has answered. */
  readonly text: string
  /** The headers that a provider gets, but its key, and but conditions. */
  readonly sent: Fields
}

/** The names that answers at one place vary by, as the newest of them says. */
interface Varying extends Kept {
  readonly names: readonly string[]
  /** What stands at one place without an end in between has one. */
  readonly era: number
}

/**
 * What all requests have in common that an answer may be given to: one tenant's, with the same of its keys, of one provider
 * at one address.
 * @param account the keys that such requests go with
 * @param target path and query
 */
export function responseKey(
  origin: ResponseOrigin,
  account: string,
  address: string,
  target: string,
  sent: Fields,
): ResponseKey {
  const text = JSON.stringify([origin.projectId, account, origin.providerId, address, 'GET', target])
  return { ...origin, text: hash('sha256', text, 'base64url'), sent }
}

export class HttpCache {
  private readonly responses: MemoryTier<StoredResponse>
  private readonly varying: MemoryTier<Varying>
  private readonly mostBytes: number
  private readonly purges: Purges
  /** As much as answers may take that are on their way to be stored. */
  private readonly mostFilling: number
  private filling = 0
  /** See {@link Varying}. */
  private eras = 0

  /** @param purges those of the room */
  constructor(room: MemoryRoom, purges: Purges) {
    this.purges = purges
    this.responses = new MemoryTier(room, 'http:', sizeOf)
    this.varying = new MemoryTier(room, 'vary:', ({ names }) => ENTRY_BYTES + names.join().length + STRING_BYTES)
    this.mostBytes = Math.min(MOST_BODY_BYTES, room.mostEntryBytes)
    this.mostFilling = room.mostBytes * FILLING_PART
  }

  /** Whether anything can be stored at all. */
  get enabled(): boolean {
    return this.mostBytes > 0
  }

  /** Purges so far. */
  get purgeCount(): number {
    return this.purges.count
  }

  /** The stored answer that a request like this would have got, fresh or not; null: there is none. */
  find(key: ResponseKey): StoredResponse | null {
    return this.responses.get(this.place(key))
  }

  forget(key: ResponseKey): void {
    this.responses.delete(this.place(key))
  }

  /** Nothing that is stored at a place holds any longer, whatever it varies by (RFC 9111, section 4.4). */
  invalidate({ text }: ResponseKey): void {
    this.responses.delete(text)
    this.varying.delete(text)
  }

  /**
   * An answer has begun.
   * @param askedAt when it was asked for, in milliseconds since 1970
   * @param purges as there were then: what was begun before a purge is not stored
   * @returns what stores it once it is complete; null: it may not be stored
   */
  fill(key: ResponseKey, status: number, headers: UpstreamHeaders, askedAt: number, purges: number): Fill | null {
    const fields = fieldsOf(headers)
    const names = varyingNames(fields)
    if (names === null || Number(fields['content-length'] ?? 0) > this.mostBytes) return null
    const policy = ResponsePolicy.of(status, fields, askedAt)
    return policy && new Fill(this, key, names, status, storedHeaders(headers), policy, this.mostBytes, purges)
  }

  /**
   * The provider says that a stored answer still holds.
   * @param confirming the headers that it says so with
   * @param askedAt when it was asked, in milliseconds since 1970
   * @param purges as there were then
   * @returns the answer as it stands now; null: it is not to be kept any longer, but may be given this once
   */
  confirm(
    key: ResponseKey,
    stored: StoredResponse,
    confirming: UpstreamHeaders,
    askedAt: number,
    purges: number,
  ): StoredResponse | null {
    const headers = updatedHeaders(stored.headers, confirming)
    // An age that it does not tell again is that of before.
    if (confirming['age'] === undefined) delete headers['age']
    const fields = fieldsOf(headers)
    const policy = ResponsePolicy.of(stored.status, fields, askedAt)
    const names = varyingNames(fields)
    if (policy === null || names === null) {
      this.forget(key)
      return null
    }
    const confirmed = storedResponse(stored, stored.status, headers, stored.body, policy)
    this.keep(key, names, confirmed, purges)
    return confirmed
  }

  /** @internal @param purges as there were when it was asked for @returns false: it is not stored, nor what was before it */
  keep(key: ResponseKey, names: readonly string[], response: StoredResponse, purges: number): boolean {
    if (this.purges.meant(purges, response)) return false
    const { projectId, model, expiresAt } = response
    let era = 0
    if (names.length === 0) this.varying.delete(key.text)
    else {
      era = this.varying.get(key.text)?.era ?? ++this.eras
      // What was stored for all is not for all any more, though it should outlive what says so.
      this.responses.delete(key.text)
      this.varying.set(key.text, { projectId, model, expiresAt: this.latest(key, expiresAt), names, era })
    }
    const place = variant(key, names, era)
    if (this.responses.set(place, response)) return true
    this.responses.delete(place)
    return false
  }

  /** @internal @returns whether so many bytes more may be held for what is to be stored */
  hold(bytes: number): boolean {
    if (this.filling + bytes > this.mostFilling) return false
    this.filling += bytes
    return true
  }

  /** @internal they are not held any more */
  release(bytes: number): void {
    this.filling -= bytes
  }

  private latest({ text }: ResponseKey, expiresAt: number): number {
    return Math.max(this.varying.get(text)?.expiresAt ?? 0, expiresAt)
  }

  private place(key: ResponseKey): string {
    const varying = this.varying.get(key.text)
    return varying === null ? key.text : variant(key, varying.names, varying.era)
  }
}

function variant({ text, sent }: ResponseKey, names: readonly string[], era: number): string {
  if (names.length === 0) return text
  const values = JSON.stringify([era, names.map((name) => [name, sent[name] ?? null])])
  return `${text} ${hash('sha256', values, 'base64url')}`
}

/** An answer on its way to be stored. */
export class Fill {
  private readonly cache: HttpCache
  private readonly key: ResponseKey
  private readonly names: readonly string[]
  private readonly status: number
  private readonly headers: UpstreamHeaders
  private readonly policy: ResponsePolicy
  private readonly mostBytes: number
  private readonly purges: number
  /** Null once it is not to be stored. */
  private parts: string[] | null = []
  private length = 0
  /** Bytes that are held for the parts. */
  private held = 0

  /** @internal */
  constructor(
    cache: HttpCache,
    key: ResponseKey,
    names: readonly string[],
    status: number,
    headers: UpstreamHeaders,
    policy: ResponsePolicy,
    mostBytes: number,
    purges: number,
  ) {
    this.cache = cache
    this.key = key
    this.names = names
    this.status = status
    this.headers = headers
    this.policy = policy
    this.mostBytes = mostBytes
    this.purges = purges
  }

  /**
   * @param text more of the body, bytes as latin1
   * @returns false: it can't be stored, nor is any longer what was before it
   */
  add(text: string): boolean {
    if (this.parts === null) return false
    // A provider may send its bytes one by one.
    const bytes = text.length + STRING_BYTES
    if (this.length + text.length > this.mostBytes || !this.cache.hold(bytes)) {
      this.drop()
      this.cache.forget(this.key)
      return false
    }
    this.length += text.length
    this.held += bytes
    this.parts.push(text)
    return true
  }

  /** It is not to be stored. */
  drop(): void {
    this.parts = null
    this.cache.release(this.held)
    this.held = 0
  }

  /** The body is complete. @returns whether it was stored */
  end(): boolean {
    const { parts, key, cache } = this
    if (parts === null) return false
    this.drop()
    const response = storedResponse(key, this.status, this.headers, parts.join(''), this.policy)
    return cache.keep(key, this.names, response, this.purges)
  }
}
