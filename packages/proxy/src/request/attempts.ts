import { decide, GatewayError, type RequestStatus } from '@millrace/shared'

import type { Call, Dialect } from '../endpoints/dialect.ts'
import type { CompiledAlias, CompiledProvider, Credential } from '../snapshot/compiled.ts'
import { Attempt } from './attempt.ts'
import { ClientGone } from './body.ts'
import type { Exchange } from './exchange.ts'
import { gatewayError } from './failure.ts'
import { sendRefusal } from './render-error.ts'

/**
 * Asks the alias's routes for an answer and brings it to the client.
 * @throws GatewayError if none of them has one
 * @throws ClientGone if there is nobody left to answer
 */
export async function answerByRoutes(
  exchange: Exchange,
  dialect: Dialect,
  call: Call,
  alias: CompiledAlias,
): Promise<void> {
  const attempt = firstAttempt(exchange, dialect, call, alias)
  if (!attempt)
    throw new GatewayError('no_route_available', `No route of "${alias.name}" can be used now.`, { retryAfterMs: 1000 })
  if (exchange.res.closed || exchange.res.writableEnded) throw new ClientGone()
  exchange.attempts.push(attempt)
  attempt.send()
  await attempt.ended

  const { failure, fault } = attempt
  if (fault !== null) throw new Error('an answer could not be passed on', { cause: fault })
  if (!failure || exchange.res.headersSent || exchange.res.destroyed) return
  if (failure.refusal) {
    exchange.fail('ERROR', failure.errorClass, failure.message)
    sendRefusal(exchange, failure.refusal)
    return
  }
  throw gatewayError(attempt.route.provider.name, failure)
}

/** How a request ended that an error of the gateway's own answered. */
export function statusOf(error: GatewayError, attempted: boolean): RequestStatus {
  if (error.code === 'upstream_timeout') return 'TIMEOUT'
  return attempted || error.status === 500 ? 'ERROR' : 'REJECTED'
}

/** By the first route, in the decision's order, that there is an upstream key for; null if there is none. */
function firstAttempt(exchange: Exchange, dialect: Dialect, call: Call, alias: CompiledAlias): Attempt | null {
  if (!alias.enabled) return null
  for (const route of decide(alias.routes, Math.random)) {
    const credential = credentialFor(route.provider, exchange.token!.project.id)
    if (credential || !route.provider.needsCredential) return new Attempt(exchange, call, dialect, route, credential)
  }
  return null
}

/** The project's own before the provider's. */
function credentialFor(provider: CompiledProvider, projectId: string): Credential | null {
  return provider.projectCredentials.get(projectId)?.[0] ?? provider.sharedCredentials[0] ?? null
}
