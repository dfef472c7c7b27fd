/** A request as it stands while it is being served. */
import { NO_USAGE, recordText, type InFlight, type TokenUsage } from '@millrace/shared'

import { isBilled } from '../request/account.ts'
import type { Exchange } from '../request/exchange.ts'

const NOTHING = '0'

export function inFlightOf(exchange: Exchange): InFlight {
  const { token, call, found, flight, stored, userKey, gateway } = exchange
  const attempt = flight?.attempt
  const firstTokenAt = exchange.firstTokenAt ?? attempt?.firstTokenAt ?? null
  const usage = usageSoFar(exchange)
  const model = stored?.providerModel ?? attempt?.model
  return {
    id: exchange.id,
    requestId: exchange.requestId,
    startedAt: new Date(exchange.startedAt).toISOString(),
    projectId: token?.projectId ?? null,
    tokenId: token?.id ?? null,
    endpoint: recordText(exchange.endpoint),
    model: recordText(call?.model ?? ''),
    aliasId: found?.alias.id ?? null,
    providerId: stored?.providerId ?? attempt?.route.provider.id ?? null,
    providerModel: model === undefined ? null : recordText(model),
    stream: call?.stream ?? false,
    userKey: userKey === null ? null : recordText(userKey),
    // Of a flight that others had begun, its first content may be older than the request.
    timeToFirstTokenMs: firstTokenAt === null ? null : rounded(Math.max(0, firstTokenAt - exchange.began)),
    outputTokens: usage.outputTokens,
    costUsd: costSoFar(exchange, usage),
    proxyId: gateway.proxyId,
  }
}

function usageSoFar({ flight, stored }: Exchange): TokenUsage {
  if (stored !== null) return stored.usage
  if (flight === null) return NO_USAGE
  return flight.usage.source === 'NONE' ? (flight.attempt?.usageSoFar() ?? NO_USAGE) : flight.usage
}

/** USD, a decimal; null where no price is known, or nobody was asked yet. */
function costSoFar(exchange: Exchange, usage: TokenUsage): string | null {
  if (!isBilled(exchange)) return NOTHING
  const { flight } = exchange
  if (flight === null) return null
  return flight.usage.source === 'NONE' ? (flight.attempt?.costOf(usage) ?? null) : flight.costUsd
}

/** To the microsecond, as in records. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
