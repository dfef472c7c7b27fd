/** What the cache of passed-through GETs has for one request, and what it is given by it. */
import { holds } from '../cache/http/conditions.ts'
import { responseKey, type Fill, type HttpCache, type ResponseKey } from '../cache/http/http-cache.ts'
import type { Fields, Verdict } from '../cache/http/policy.ts'
import type { CacheRequest } from '../cache/http/request.ts'
import type { StoredResponse } from '../cache/http/response.ts'
import { isCaptured } from '../debug/capture.ts'
import type { Attempt } from '../request/attempt.ts'
import { credentialsFor } from '../routing/credentials.ts'
import type { CompiledProvider, CompiledRoute } from '../snapshot/compiled.ts'
import type { PassedCall } from './call.ts'
import { upstreamPathOf } from './target.ts'

/** What is asked of a provider again, though it is stored. */
export interface Stale {
  readonly key: ResponseKey
  readonly stored: StoredResponse
  /** As `cache-status` names it (RFC 9211, section 2.2): its time is over, or the request wants it so. */
  readonly why: 'stale' | 'request'
}

export class PassedCaching {
  readonly request: CacheRequest
  private readonly cache: HttpCache
  private readonly call: PassedCall
  private readonly projectId: string
  /** What the provider gets, but its key, and but conditions. */
  private readonly sent: Fields
  private readonly purges: number
  /** That of the route that was looked at last. */
  private key: ResponseKey | null = null
  private keyOf: CompiledRoute | null = null

  constructor(cache: HttpCache, request: CacheRequest, call: PassedCall, projectId: string, sent: Fields) {
    this.cache = cache
    this.request = request
    this.call = call
    this.projectId = projectId
    this.sent = sent
    this.purges = cache.purgeCount
  }

  /** What is stored of a route's provider; null: nothing is. */
  storedAt(route: CompiledRoute, model: string): StoredResponse | null {
    return this.cache.find(this.keyAt(route, model))
  }

  /** Whether it may be given without asking a provider. */
  isUsable(stored: StoredResponse): boolean {
    return this.verdictOn(stored) === 'usable'
  }

  /** Whether it may be given in place of an error. */
  standsIn({ policy }: StoredResponse): boolean {
    return policy.standsInForErrors(this.request.directives)
  }

  /** What is asked about by an attempt, though it is stored; null: nothing is. */
  staleAt({ route, model }: Attempt): Stale | null {
    const key = this.keyAt(route, model)
    const stored = this.cache.find(key)
    return stored && { key, stored, why: this.verdictOn(stored) === 'stale' ? 'stale' : 'request' }
  }

  /** Whether the client has what is stored. */
  isHeld({ policy }: StoredResponse): boolean {
    return holds(this.request.held, policy.etag, policy.lastModified)
  }

  /** What stores an answer that has begun; null: it may not be stored. */
  fill(attempt: Attempt): Fill | null {
    const { exchange, upstreamStatus, upstreamHeaders, startedAt, route, model } = attempt
    if (isCaptured(exchange)) return null
    return this.cache.fill(this.keyAt(route, model), upstreamStatus!, upstreamHeaders, startedAt, this.purges)
  }

  /** The provider says that what is stored still holds. @returns what to give */
  confirm({ key, stored }: Stale, { upstreamHeaders, startedAt }: Attempt): StoredResponse {
    return this.cache.confirm(key, stored, upstreamHeaders, startedAt, this.purges) ?? stored
  }

  /** What is stored is not what the provider has any more. */
  forget({ key }: Stale): void {
    this.cache.forget(key)
  }

  /** A provider has done what may have changed what is stored of the same place (RFC 9111, section 4.4). */
  invalidate({ route, model }: Attempt): void {
    this.cache.invalidate(this.keyAt(route, model))
  }

  private verdictOn({ policy }: StoredResponse): Verdict {
    return policy.judge(this.request.directives)
  }

  private keyAt(route: CompiledRoute, model: string): ResponseKey {
    if (this.key === null || this.keyOf !== route) this.key = this.makeKey(route, model)
    this.keyOf = route
    return this.key
  }

  private makeKey({ provider, connection }: CompiledRoute, model: string): ResponseKey {
    const { call, projectId } = this
    const { url } = connection!.targets.once(upstreamPathOf(call.endpoint), '')
    const origin = {
      projectId,
      model: call.model === '' ? null : call.model,
      providerId: provider.id,
      providerName: provider.name,
      providerModel: model,
    }
    return responseKey(origin, accountOf(provider, projectId), url, call.queryFor(model), this.sent)
  }
}

/** Whose keys a project's requests go with, and which they are: another's account may answer otherwise. */
function accountOf(provider: CompiledProvider, projectId: string): string {
  const whose = provider.projectCredentials.has(projectId) ? 'project' : 'shared'
  return `${whose} ${credentialsFor(provider, projectId)
    .map(({ fingerprint }) => fingerprint)
    .join()}`
}
