/** What a request's answer used, and who is charged with it: what its record says, and its limits are settled with. */
import { NO_USAGE, toPicodollars, type TokenUsage } from '@millrace/shared'

import type { Used } from '../limits/store.ts'
import type { Attempt } from './attempt.ts'
import type { Exchange } from './exchange.ts'
import type { Flight } from './flight.ts'

const NONE: readonly Attempt[] = []
const NOTHING = '0'

/** The flight that is on a request's account; null: none is. */
export function paidBy({ flight, pays }: Exchange): Flight | null {
  return pays ? flight : null
}

/** Whether a provider was asked for its answer on its account, as far as any was. */
export function isBilled({ stored, pays }: Exchange): boolean {
  return stored === null && pays
}

export function attemptsOf(exchange: Exchange): readonly Attempt[] {
  return paidBy(exchange)?.attempts ?? NONE
}

/** Of an answer that was somebody else's: what that used, if this client got it whole. */
export function usageOf({ flight, pays, stored, outcome }: Exchange): TokenUsage {
  if (stored !== null) return stored.usage
  if (flight === null) return NO_USAGE
  return pays || outcome?.status === 'SUCCESS' ? flight.usage : NO_USAGE
}

/** USD, a decimal; null where it is not known. */
export function costOf(exchange: Exchange): string | null {
  if (!isBilled(exchange)) return NOTHING
  return exchange.flight === null ? null : exchange.flight.costUsd
}

/** Whether it counts towards its token's requests: something was sent to a provider for it, or it was answered without. */
export function isCounted({ flight, stored }: Exchange): boolean {
  return stored !== null || (flight !== null && flight.counted)
}

/** What is charged to an exchange that has ended. */
export function usedBy(exchange: Exchange): Used {
  const counted = isCounted(exchange)
  const flight = paidBy(exchange)
  if (flight === null || exchange.stored !== null) return { tokens: 0, cost: 0n, counted }
  const { usage, costUsd } = flight
  return {
    tokens: usage.inputTokens + usage.outputTokens,
    cost: costUsd === null ? 0n : toPicodollars(costUsd),
    counted,
  }
}
