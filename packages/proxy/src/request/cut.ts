import type { GatewayError } from '@millrace/shared'

import type { Exchange } from './exchange.ts'
import { cutStatus } from './failure.ts'
import { sendError } from './render-error.ts'

/**
 * Ends a request that may not go on: a stream that has begun by an error event, an answer of which nothing was sent by the
 * error itself. One that is complete but for its record's being stored is left alone.
 * @returns whether it was ended by this
 */
export function cut(exchange: Exchange, error: GatewayError): boolean {
  if (exchange.over || exchange.outcome !== null) return false
  const told = exchange.cut(error)
  exchange.fail(cutStatus(error), error.code, error.message)
  if (!told && !exchange.over) sendError(exchange, error)
  return true
}
