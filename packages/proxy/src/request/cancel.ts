import { GatewayError } from '@millrace/shared'

import { cut } from './cut.ts'
import type { Exchange } from './exchange.ts'

/** How long a client that reads nothing may take to be told. */
const TOLD_MS = 200

/**
 * Ends a request because an operator wants it so: as {@link cut}, but a client that does not take the last of it is cut off,
 * so that what the request held is given back, and its record written.
 * @returns whether it was ended by this
 */
export function cancel(exchange: Exchange): boolean {
  const error = new GatewayError('admin_cancelled', 'An operator of the gateway has cancelled this request.')
  if (!cut(exchange, error)) return false
  setTimeout(cutOff, TOLD_MS, exchange).unref()
  return true
}

/** With `x-millrace-sync` it may still wait for its record. */
function cutOff({ res }: Exchange): void {
  if (res.writableEnded && !res.closed) res.destroy()
}
