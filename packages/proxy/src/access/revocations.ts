import { GatewayError } from '@millrace/shared'

import type { Exchange } from '../request/exchange.ts'
import type { Gateway } from '../request/gateway.ts'
import type { CompiledSnapshot } from '../snapshot/compiled.ts'

/** How often tokens are looked at whose time may be over, in milliseconds. */
const CHECK_MS = 1_000

/** Ends running requests whose token or project may not be used any more (`MILLRACE_REVOKED_STREAMS=cut`). */
export class Revocations {
  private readonly gateway: Gateway
  private readonly cut: (exchange: Exchange, error: GatewayError) => void
  private timer: NodeJS.Timeout | null = null

  /** @param cut ends a request with an error */
  constructor(gateway: Gateway, cut: (exchange: Exchange, error: GatewayError) => void) {
    this.gateway = gateway
    this.cut = cut
  }

  start(): void {
    this.timer = setInterval(() => this.check(), CHECK_MS).unref()
    this.gateway.configuration.onSwap(() => this.check())
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer)
  }

  private check(): void {
    const { current } = this.gateway.configuration
    if (current === null) return
    const now = Date.now()
    this.gateway.active.forEach((exchange) => {
      const error = exchange.project === null ? null : revocationOf(exchange, current, now)
      if (error !== null) this.cut(exchange, error)
    })
  }
}

/**
 * Why a request that was admitted would not be any more; null: it would. A secret that another has replaced is not looked
 * at: the token is still good.
 */
export function revocationOf({ token: then }: Exchange, snapshot: CompiledSnapshot, now: number): GatewayError | null {
  const token = then && snapshot.tokens.tokenOf(then.id)
  if (!token || token.revoked) return new GatewayError('token_revoked', 'This API key was revoked meanwhile.')
  if (token.expiresAt !== null && token.expiresAt <= now)
    return new GatewayError('token_expired', 'This API key has expired meanwhile.')
  if (!snapshot.projects.get(token.projectId)?.active)
    return new GatewayError('project_inactive', 'The project of this API key was deactivated meanwhile.')
  return null
}
