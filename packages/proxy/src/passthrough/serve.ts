/** The order of the steps of a request that is passed on as it came: the contract's "Endpoints". */
import { GatewayError } from '@millrace/shared'
import type { H3Event } from 'h3'

import { bodyRefusal } from '../access/check.ts'
import { BYPASSED_BY_METHOD, BYPASSED_BY_REQUEST, MISSED } from '../cache/answer-headers.ts'
import { readCacheRequest, type CacheRequest } from '../cache/http/request.ts'
import { errorsAt } from '../endpoints/index.ts'
import { takeLimits } from '../request/admission.ts'
import { directFlight } from '../request/direct-answer.ts'
import { Exchange } from '../request/exchange.ts'
import type { Gateway } from '../request/gateway.ts'
import { admit, answeredOnNode, checkStill, identify, nodeOf, receive, takeOwnKey } from '../request/handle.ts'
import { refuse } from '../request/refuse.ts'
import type { CompiledToken } from '../snapshot/compiled.ts'
import { PassedAttempts } from './attempts.ts'
import { bodyKindOf } from './body.ts'
import { PassedCaching } from './caching.ts'
import { PassedCall } from './call.ts'
import { checkPath, choosePassed } from './choice.ts'
import { FetchErrand, SendErrand } from './errand.ts'
import { sentFields } from './forwarded.ts'
import { PassedJsonCall } from './json-call.ts'
import { SendAttempts } from './send-attempts.ts'
import { readTarget, type PassedTarget } from './target.ts'
import { ClientBody } from './upload.ts'

/** Serves a request by passing it on. */
export function passOn(gateway: Gateway, event: H3Event): Promise<never> {
  const { req, res } = nodeOf(event)
  const target = readTarget(req.url ?? '')
  const endpoint = target?.endpoint ?? event.url.pathname
  void pass(new Exchange(gateway, endpoint, errorsAt(endpoint), req, res), target)
  return answeredOnNode()
}

async function pass(exchange: Exchange, target: PassedTarget | null): Promise<void> {
  try {
    const { req, res } = exchange
    const method = req.method!
    const snapshot = admit(exchange)
    const { token, project } = identify(exchange, snapshot)
    const kind = bodyKindOf(req)
    const body = kind === 'unread' ? new ClientBody(req, res) : null
    if (target === null) throw noSuchPath(exchange.endpoint)
    checkPath(method, target.endpoint, token.access, snapshot)
    takeOwnKey(exchange, token)
    const call =
      kind === 'json' ? await readCall(exchange, target, method) : new PassedCall(target, method, body !== null)
    exchange.call = call
    checkCall(token, call)
    const { ownKey, ownKeyFor } = exchange
    exchange.found = choosePassed(
      {
        method,
        endpoint: target.endpoint,
        model: call.model,
        keepsState: call.keepsState,
        unread: call.unread,
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
    if (method === 'GET' || method === 'HEAD') await serveFetch(exchange, call)
    else await serveSend(exchange, call, body)
  } catch (error) {
    refuse(exchange, error)
  }
}

async function readCall(exchange: Exchange, target: PassedTarget, method: string): Promise<PassedCall> {
  const body = await receive(exchange)
  checkStill(exchange)
  return body.length === 0 ? new PassedCall(target, method) : new PassedJsonCall(target, method, body)
}

async function serveFetch(exchange: Exchange, call: PassedCall): Promise<void> {
  const { req } = exchange
  const request = readCacheRequest(req.headers)
  const caching = cachingOf(exchange, call, request)
  if (caching !== null) exchange.cache = MISSED
  else if (exchange.gateway.httpCache.enabled) exchange.cache = BYPASSED_BY_REQUEST
  try {
    const errand = new FetchErrand(req.method!, call, caching)
    const attempts = new PassedAttempts(directFlight(exchange), errand, caching)
    if (attempts.answerFromCache()) return
    if (request.directives.has('only-if-cached')) throw notCached()
    await attempts.run()
  } finally {
    countOutcome(exchange)
  }
}

async function serveSend(exchange: Exchange, call: PassedCall, body: ClientBody | null): Promise<void> {
  const { req, token, gateway } = exchange
  const request = readCacheRequest(req.headers)
  if (request.directives.has('only-if-cached')) throw notCached()
  exchange.cache = BYPASSED_BY_METHOD
  const { httpCache } = gateway
  const stored = httpCache.enabled ? new PassedCaching(httpCache, request, call, token!.projectId, {}) : null
  const errand = new SendErrand(req.method!, call, body, stored)
  await new SendAttempts(directFlight(exchange), errand, call, body).run()
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

function checkCall({ access }: CompiledToken, call: PassedCall): void {
  if (access === null) return
  const { paramNames } = access
  const refusal =
    call.model === '' && !call.unread
      ? paramNames && access.paramRefusal(call.members(paramNames))
      : bodyRefusal(access, call, call.model)
  if (refusal) throw refusal
}

function noSuchPath(path: string): GatewayError {
  return new GatewayError('endpoint_not_found', `There is no ${path.slice(0, 200)} here.`)
}

function notCached(): GatewayError {
  return new GatewayError('not_cached', 'There is no stored answer, and "only-if-cached" asks for no other.')
}
