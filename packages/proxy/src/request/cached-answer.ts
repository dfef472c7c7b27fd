/** Answers a request whose alias has a cache, or shares upstream calls: from what is stored, from a flight, or by a new one. */
import { BYPASSED, BYPASSED_BY_REQUEST } from '../cache/answer-headers.ts'
import type { CompiledCache } from '../cache/cacheable.ts'
import { requestDirectives } from '../cache/directives.ts'
import type { Endpoint } from '../endpoints/endpoint.ts'
import { Attempts } from './attempts.ts'
import { directFlight } from './direct-answer.ts'
import type { Exchange } from './exchange.ts'
import { Fetch, notCached } from './fetch.ts'

/**
 * @returns a promise only where something has to be waited for; a flight goes on by itself
 * @throws GatewayError if there is no answer
 * @throws ClientGone if there is nobody left to answer
 */
export function answerFromCache(exchange: Exchange, endpoint: Endpoint, cache: CompiledCache): Promise<void> | void {
  const directives = requestDirectives(exchange.req.headers)
  const takesPart = directives.store && exchange.ownKey === null && !exchange.call!.keepsState
  if (takesPart && cache.cacheable && exchange.found!.alias.enabled) {
    return new Fetch(exchange, endpoint, cache, directives).begin()
  }
  exchange.cache = cache.cacheable ? BYPASSED_BY_REQUEST : BYPASSED
  exchange.gateway.cache.outcomes.count('BYPASS', null)
  if (directives.onlyIfCached) throw notCached()
  return new Attempts(directFlight(exchange), endpoint).run()
}

/** Of an alias that has no cache, answers are asked of providers alone. @throws GatewayError if its client wants no such */
export function checkUncached({ req }: Exchange): void {
  const said = req.headers['cache-control']
  if (said !== undefined && requestDirectives(req.headers).onlyIfCached) throw notCached()
}
