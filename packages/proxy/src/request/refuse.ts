import { GatewayError } from '@millrace/shared'

import { statusOf } from './attempts.ts'
import { ClientGone } from './body.ts'
import type { Exchange } from './exchange.ts'
import { sendError, wasAttempted } from './render-error.ts'

/** Ends a request by what stands in its way. What is no GatewayError is a fault of ours: its reason is for the log alone. */
export function refuse(exchange: Exchange, error: unknown): void {
  if (error instanceof ClientGone) return
  let known = error
  if (!(known instanceof GatewayError)) {
    exchange.gateway.log.error({ err: error, requestId: exchange.requestId }, 'request failed by a fault of our own')
    known = new GatewayError('internal_error', 'The gateway failed; its operator finds the reason by the request id.')
  }
  if (exchange.over) return
  const gatewayError = known as GatewayError
  exchange.fail(statusOf(gatewayError, wasAttempted(exchange)), gatewayError.code, gatewayError.message)
  sendError(exchange, gatewayError)
}
