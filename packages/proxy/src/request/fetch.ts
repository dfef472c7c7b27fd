/** What one request asks the cache for, and providers where there is nothing to be had. */
import { hash } from 'node:crypto'

import { GatewayError, type CacheOutcome } from '@millrace/shared'

import {
  COALESCED,
  COALESCED_BY_REQUEST,
  MISSED,
  MISSED_BY_REQUEST,
  type CachePassed,
} from '../cache/answer-headers.ts'
import type { StoredAnswer } from '../cache/answer.ts'
import type { Fill, Lookup } from '../cache/cache.ts'
import type { CompiledCache } from '../cache/cacheable.ts'
import type { RequestDirectives } from '../cache/directives.ts'
import { cacheKey, keyedHeaders } from '../cache/key.ts'
import type { Call, Endpoint } from '../endpoints/endpoint.ts'
import { Attempts } from './attempts.ts'
import { ClientGone } from './body.ts'
import type { Exchange } from './exchange.ts'
import { Flight } from './flight.ts'
import { playHit } from './play-hit.ts'
import type { Recording } from './recording.ts'
import { refuse } from './refuse.ts'
import { SharedAnswer, type Fetching } from './shared-answer.ts'

export class Fetch implements Fetching {
  private readonly endpoint: Endpoint
  private readonly cache: CompiledCache
  private readonly directives: RequestDirectives
  /** Who asked first. */
  private readonly exchange: Exchange
  private readonly key: string
  /** As {@link key}, for those who want the answer in the same form. */
  private readonly flightKey: string
  /** Null where nothing is stored. */
  private fill: Fill | null = null

  constructor(exchange: Exchange, endpoint: Endpoint, cache: CompiledCache, directives: RequestDirectives) {
    this.exchange = exchange
    this.endpoint = endpoint
    this.cache = cache
    this.directives = directives
    this.key = keyOf(exchange, endpoint, cache)
    this.flightKey = exchange.call!.stream ? `${this.key}s` : this.key
  }

  /** @throws GatewayError not_cached */
  begin(): void | Promise<void> {
    if (!this.cache.policy.enabled) return this.ask(this.exchange)
    const { gateway, token, call } = this.exchange
    const { read, maxAgeMs } = this.directives
    const scope = { projectId: token!.projectId, model: call!.model }
    const looked = gateway.cache.look(this.key, scope, read ? maxAgeMs : 0)
    return looked instanceof Promise ? this.goOnWhen(looked) : this.goOn(looked)
  }

  closed(answer: SharedAnswer): void {
    if (this.cache.policy.coalesce) this.exchange.gateway.flights.remove(this.flightKey, answer)
  }

  complete({ recording, captured }: SharedAnswer, flight: Flight): void {
    if (this.fill === null || captured || !recording.storable) return
    const { gateway, requestId } = this.exchange
    try {
      this.store(recording, flight, this.fill)
    } catch (error) {
      // Who waits for the answer has it all the same.
      gateway.log.error({ err: error, requestId }, 'an answer could not be stored')
    }
  }

  again(waiting: readonly Exchange[]): void {
    for (const exchange of waiting) {
      exchange.askedAnew = true
      try {
        this.ask(exchange)
      } catch (error) {
        refuse(exchange, error)
      }
    }
  }

  private store(recording: Recording, flight: Flight, fill: Fill): void {
    const { policy } = this.cache
    const { usage, call, answering } = flight
    const body = recording.body()
    const stream = recording.marks()
    // Part of an answer is none, nor is an error by another name.
    if (recording.status === 206 || this.endpoint.reportsError(body)) return
    if (!policy.storeToolCalls && this.endpoint.callsTools(body, stream)) return
    const { provider } = answering!.route
    const storedAt = Date.now()
    const answer: StoredAnswer = {
      status: recording.status,
      headers: recording.headers,
      body,
      stream,
      usage,
      providerId: provider.id,
      providerName: provider.name,
      providerModel: answering!.model,
      projectId: this.exchange.token!.projectId,
      model: call.model,
      storedAt,
      expiresAt: storedAt + Math.min(policy.ttlSeconds * 1_000, this.directives.maxAgeMs),
      etag: `"${hash('sha256', body, 'base64url').slice(0, 27)}"`,
    }
    this.exchange.gateway.cache.store(this.key, answer, fill)
  }

  private async goOnWhen(looked: Promise<Lookup>): Promise<void> {
    const lookup = await this.exchange.until(looked)
    if (this.exchange.over) throw new ClientGone()
    this.goOn(lookup)
  }

  private goOn({ hit, fill }: Lookup): void {
    const { exchange, endpoint, cache, directives } = this
    const fresh = hit !== null && hit.answer.expiresAt - Date.now() >= directives.minFreshMs
    if (fresh) this.remember()
    if (fresh && playHit(exchange, endpoint, hit, cache.policy.replayPace)) {
      exchange.gateway.cache.outcomes.count('HIT', hit.tier)
      return
    }
    this.fill = fill
    this.ask(exchange)
  }

  /** Asks for it by a flight: one that is under way, or a new one. */
  private ask(exchange: Exchange): void {
    if (this.directives.onlyIfCached) {
      this.say(exchange, 'MISS')
      throw notCached()
    }
    const { flights, cache } = exchange.gateway
    const { coalesce } = this.cache.policy
    const under = coalesce ? this.joinable(exchange) : null
    this.say(exchange, under === null ? 'MISS' : 'COALESCED')
    if (under !== null) return under.join(exchange)
    const answer = new SharedAnswer(this, flights.kept, cache.purges.count)
    const flight = new Flight(exchange, exchange.call!, exchange.found!, answer)
    answer.carriedBy(flight)
    answer.join(exchange)
    if (coalesce) flights.add(this.flightKey, answer)
    void fly(flight, answer, this.endpoint)
  }

  /** What was purged after its provider had been asked is finished for those who wait for it, and for nobody else. */
  private joinable({ gateway, token, call }: Exchange): SharedAnswer | null {
    const under = gateway.flights.find(this.flightKey)
    if (under === null) return null
    const scope = { projectId: token!.projectId, model: call!.model }
    return gateway.cache.purges.meant(under.purges, scope) ? null : under
  }

  /** What was asked for again will be so once more: then neither its body is read nor its key made anew. */
  private remember(): void {
    const { exchange, cache, key } = this
    const call = exchange.call!
    const known = knownKeys.get(call)
    if (cache.facts.length > 0 || (known?.cache === cache && known.key === key) || !call.remember()) return
    knownKeys.set(call, { cache, tokenId: exchange.token!.id, headers: keyedHeaders(exchange.req.headers), key })
  }

  private say(exchange: Exchange, outcome: Exclude<CacheOutcome, 'HIT' | 'BYPASS'>): void {
    exchange.cache = WORDS[outcome][this.directives.read ? 0 : 1]
    // Once a request, by what it came to first: what is counted never gets less.
    if (!exchange.askedAnew) exchange.gateway.cache.outcomes.count(outcome, null)
  }
}

const WORDS: Readonly<Record<'MISS' | 'COALESCED', readonly [CachePassed, CachePassed]>> = {
  MISS: [MISSED, MISSED_BY_REQUEST],
  COALESCED: [COALESCED, COALESCED_BY_REQUEST],
}

export function notCached(): GatewayError {
  return new GatewayError('not_cached', 'There is no stored answer, and "only-if-cached" asks for no other.')
}

/** What a call's key was made of, but for the call. */
interface KnownKey {
  readonly cache: CompiledCache
  readonly tokenId: string
  readonly headers: string
  readonly key: string
}

/** Of calls that were hits: one each, for whom it was made. */
const knownKeys = new WeakMap<Call, KnownKey>()

function keyOf({ token, project, found, call, req }: Exchange, endpoint: Endpoint, cache: CompiledCache): string {
  const headers = keyedHeaders(req.headers)
  const known = knownKeys.get(call!)
  if (known?.cache === cache && known.tokenId === token!.id && known.headers === headers) return known.key
  return cacheKey(cache, {
    endpoint: endpoint.path,
    projectId: token!.projectId,
    projectName: project!.name,
    tokenId: token!.id,
    tokenName: token!.name,
    aliasId: found!.alias.id!,
    headers: req.headers,
    body: call!.text,
    unkeyed: endpoint.unkeyed,
  })
}

async function fly(flight: Flight, answer: SharedAnswer, endpoint: Endpoint): Promise<void> {
  try {
    await new Attempts(flight, endpoint).run()
  } catch (error) {
    if (!(error instanceof ClientGone)) answer.fail(error)
  }
}
