/** The order of a request's steps, and nothing else. */
import { hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { GatewayError } from '@millrace/shared'
import type { H3Event } from 'h3'

import { bodyRefusal, headRefusal } from '../access/check.ts'
import { revocationOf } from '../access/revocations.ts'
import { namesTag } from '../cache/http/conditions.ts'
import type { ErrorForm } from '../canonical/writer.ts'
import { openAiErrors } from '../dialects/chat/errors.ts'
import type { Call, Endpoint } from '../endpoints/endpoint.ts'
import { find } from '../routing/found.ts'
import type { CompiledProject, CompiledSnapshot, CompiledToken } from '../snapshot/compiled.ts'
import { takeLimits } from './admission.ts'
import { gatewayHeaders } from './answer-headers.ts'
import { Attempts } from './attempts.ts'
import { authenticate, projectOf } from './authenticate.ts'
import { ClientGone, readBody } from './body.ts'
import { answerFromCache, checkUncached } from './cached-answer.ts'
import { secretOf, textHeader } from './client-headers.ts'
import { directFlight } from './direct-answer.ts'
import { Exchange } from './exchange.ts'
import type { Gateway } from './gateway.ts'
import { refuse } from './refuse.ts'

/** Whose request it is. */
export interface Sender {
  readonly token: CompiledToken
  readonly project: CompiledProject
}

/** Serves a request by relaying it to a provider. */
export function relay(gateway: Gateway, endpoint: Endpoint, event: H3Event): Promise<never> {
  const { req, res } = nodeOf(event)
  const exchange = new Exchange(gateway, endpoint.path, endpoint.errors, req, res)
  exchange.lastEvent = endpoint.lastEvent ?? null
  void relayExchange(exchange, endpoint)
  return answeredOnNode()
}

async function relayExchange(exchange: Exchange, endpoint: Endpoint): Promise<void> {
  try {
    const snapshot = admit(exchange)
    const { token, project } = identify(exchange, snapshot)
    takeOwnKey(exchange, token)
    // No variable holds the body: this frame lives as long as the answer's stream.
    const call = endpoint.parse(await receive(exchange))
    exchange.call = call
    checkStill(exchange)
    checkBody(token, call)
    const found = find(snapshot, project.id, call.model)
    if (!found) throw unknownModel(call.model)
    exchange.found = found
    const limits = takeLimits(exchange, token, project)
    if (limits) await limits
    exchange.admitted()
    const { cache } = found.alias
    if (cache !== null) return await answerFromCache(exchange, endpoint, cache)
    checkUncached(exchange)
    await new Attempts(directFlight(exchange), endpoint).run()
  } catch (error) {
    refuse(exchange, error)
  }
}

/**
 * Serves a request from what the proxy knows itself; who has it already is told so.
 * @param answer gives the JSON body, or throws a GatewayError
 * @param errors how the path's clients are told of errors
 */
export function answerLocally(
  gateway: Gateway,
  endpoint: string,
  event: H3Event,
  answer: (sender: Sender, snapshot: CompiledSnapshot) => unknown,
  errors: ErrorForm = openAiErrors,
): Promise<never> {
  const { req, res } = nodeOf(event)
  const exchange = new Exchange(gateway, endpoint, errors, req, res)
  try {
    const snapshot = admit(exchange)
    const body = JSON.stringify(answer(identify(exchange, snapshot), snapshot))
    const etag = `"${hash('sha256', body, 'base64url').slice(0, 27)}"`
    const headers = [...gatewayHeaders(exchange), 'etag', etag]
    exchange.succeed()
    if (namesTag(req.headers['if-none-match'] ?? '', etag)) {
      res.writeHead(304, headers)
      exchange.end()
    } else {
      headers.push('content-type', 'application/json', 'content-length', String(Buffer.byteLength(body)))
      res.writeHead(200, headers)
      exchange.end(body)
    }
  } catch (error) {
    refuse(exchange, error)
  }
  return answeredOnNode()
}

/**
 * What h3 gets for a response that is written to Node's own object: a promise that stays pending, and is collected.
 * Resolved with h3's `kHandled`, srvx would end the response a second time, for which Node makes an error with its stack
 * (a tenth of a request's CPU).
 */
export function answeredOnNode(): Promise<never> {
  return new Promise(ignore)
}

function ignore(): void {}

export function unknownModel(model: string): GatewayError {
  return new GatewayError(
    'model_not_found',
    `The model "${model.slice(0, 200)}" does not exist, or this API key cannot use it.`,
    {
      param: 'model',
    },
  )
}

export function admit({ gateway, snapshot }: Exchange): CompiledSnapshot {
  if (gateway.draining) throw shuttingDown()
  if (!snapshot || gateway.configuration.stale()) {
    const message = snapshot
      ? 'The gateway has been without its control plane for too long.'
      : 'The gateway has no configuration yet.'
    throw new GatewayError('not_ready', message, { retryAfterMs: 1000 })
  }
  return snapshot
}

/**
 * Who sends a request, and whether it may come to the body's being read. The token stands in the record even if its project
 * does not serve.
 */
export function identify(exchange: Exchange, snapshot: CompiledSnapshot): Sender {
  const token = authenticated(exchange, snapshot)
  exchange.token = token
  const { debug } = exchange.gateway
  if (debug.enabled) debug.begin(exchange)
  const project = projectOf(token, snapshot)
  exchange.project = project
  const refusal = token.access && headRefusal(token.access, exchange)
  if (refusal) throw refusal
  return { token, project }
}

function authenticated(exchange: Exchange, snapshot: CompiledSnapshot): CompiledToken {
  try {
    return authenticate(secretOf(exchange.req.headers), snapshot)
  } catch (error) {
    throw exchange.gateway.failedKeys.answer(error, exchange.clientIp, exchange.began)
  }
}

/**
 * A body may take minutes to come: its sender may have been answered meanwhile, or its token revoked. Nothing is asked of a
 * provider for either.
 */
export function checkStill(exchange: Exchange): void {
  if (exchange.over) throw new ClientGone()
  const { current } = exchange.gateway.configuration
  const { token, snapshot } = exchange
  if (current === snapshot && token!.expiresAt === null) return
  const error = revocationOf(exchange, current!, Date.now())
  if (error !== null) throw error
}

function checkBody({ access }: CompiledToken, call: Call): void {
  const refusal = access && bodyRefusal(access, call, call.model)
  if (refusal) throw refusal
}

export function receive(exchange: Exchange): Promise<Buffer> {
  return exchange.until(readBody(exchange.req, exchange.gateway.maxBodyBytes))
}

/** The upstream key that a client brings itself, if its token may, and the provider that it is for. */
export function takeOwnKey(exchange: Exchange, token: CompiledToken): void {
  const { headers } = exchange.req
  exchange.ownKey = token.access?.ownKeys ? textHeader(headers, 'x-millrace-upstream-key') : null
  exchange.ownKeyFor = textHeader(headers, 'x-millrace-provider')
}

/** The process ends before this request did: its client is told so, in whatever way is left. */
export function abandon(exchange: Exchange): void {
  if (exchange.hurry()) return
  if (!exchange.abandon()) refuse(exchange, shuttingDown())
}

function shuttingDown(): GatewayError {
  return new GatewayError('shutting_down', 'The gateway is shutting down.', { retryAfterMs: 1000 })
}

export function nodeOf(event: H3Event): { req: IncomingMessage; res: ServerResponse } {
  const node = event.runtime?.node
  if (!node?.res) throw new Error('the proxy runs on Node alone')
  return node as { req: IncomingMessage; res: ServerResponse }
}
