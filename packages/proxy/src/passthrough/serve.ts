/** The order of the steps of a request that is passed on as it came: the contract's "Endpoints". */
import { GatewayError } from '@millrace/shared'
import type { H3Event } from 'h3'

import { BYPASSED_BY_REQUEST, MISSED } from '../cache/answer-headers.ts'
import { readCacheRequest, type CacheRequest } from '../cache/http/request.ts'
import { openAiErrors } from '../dialects/chat/errors.ts'
import { takeLimits } from '../request/admission.ts'
import { directFlight } from '../request/direct-answer.ts'
import { Exchange } from '../request/exchange.ts'
import type { Gateway } from '../request/gateway.ts'
import { admit, answeredOnNode, identify, nodeOf, takeOwnKey } from '../request/handle.ts'
import { refuse } from '../request/refuse.ts'
import type { CompiledToken } from '../snapshot/compiled.ts'
import { PassedAttempts } from './attempts.ts'
import { PassedCaching } from './caching.ts'
import { PassedCall } from './call.ts'
import { choosePassed } from './choice.ts'
import { PassedErrand } from './errand.ts'
import { sentFields } from './forwarded.ts'
import { readTarget, type PassedTarget } from './target.ts'

/** Serves a GET or HEAD by passing it on. */
export function passOn(gateway: Gateway, event: H3Event): Promise<never> {
  const { req, res } = nodeOf(event)
  const target = readTarget(req.url ?? '')
  const endpoint = target?.endpoint ?? event.url.pathname
  void pass(new Exchange(gateway, endpoint, openAiErrors, req, res), target)
  return answeredOnNode()
}

async function pass(exchange: Exchange, target: PassedTarget | null): Promise<void> {
  try {
    const snapshot = admit(exchange)
    const { token, project } = identify(exchange, snapshot)
    if (target === null) throw noSuchPath(exchange.endpoint)
    takeOwnKey(exchange, token)
    const call = new PassedCall(target)
    exchange.call = call
    checkQuery(token, call)
    const { ownKey, ownKeyFor } = exchange
    exchange.found = choosePassed(
      {
        method: exchange.req.method!,
        endpoint: target.endpoint,
        model: call.model,
        provider: ownKeyFor,
        projectId: project.id,
        access: token.access,
        ownKey: ownKey !== null,
      },
      snapshot,
    )
    const limits = takeLimits(exchange, token, project)
    if (limits) await limits
    exchange.admitted()
    await answer(exchange, call)
  } catch (error) {
    refuse(exchange, error)
  }
}

async function answer(exchange: Exchange, call: PassedCall): Promise<void> {
  const { req } = exchange
  const request = readCacheRequest(req.headers)
  const caching = cachingOf(exchange, call, request)
  if (caching !== null) exchange.cache = MISSED
  else if (exchange.gateway.httpCache.enabled) exchange.cache = BYPASSED_BY_REQUEST
  try {
    const errand = new PassedErrand(req.method!, call, caching)
    const attempts = new PassedAttempts(directFlight(exchange), errand, caching)
    if (attempts.answerFromCache()) return
    if (request.directives.has('only-if-cached')) throw notCached()
    await attempts.run()
  } finally {
    countOutcome(exchange)
  }
}

function countOutcome({ gateway, cache }: Exchange): void {
  gateway.cache.outcomes.count(cache.outcome, cache.outcome === 'HIT' ? cache.tier : null)
}

/** Null: the cache has no part in it. What goes by a client's own key is for that client alone. */
function cachingOf(exchange: Exchange, call: PassedCall, request: CacheRequest): PassedCaching | null {
  const { gateway, ownKey, token, req } = exchange
  if (request.bypass || ownKey !== null || !gateway.httpCache.enabled) return null
  return new PassedCaching(gateway.httpCache, request, call, token!.projectId, sentFields(req.headers))
}

function checkQuery({ access }: CompiledToken, call: PassedCall): void {
  if (access === null) return
  const { paramNames } = access
  const refusal =
    (call.model === '' ? null : access.modelRefusal(call.model)) ??
    (paramNames && access.paramRefusal(call.members(paramNames)))
  if (refusal) throw refusal
}

function noSuchPath(path: string): GatewayError {
  return new GatewayError('endpoint_not_found', `There is no ${path.slice(0, 200)} here.`)
}

function notCached(): GatewayError {
  return new GatewayError('not_cached', 'There is no stored answer, and "only-if-cached" asks for no other.')
}
