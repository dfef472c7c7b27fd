import { attemptsOf, paidBy } from '../request/account.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Exchange } from '../request/exchange.ts'
import { endpointLabel } from './endpoint-label.ts'
import { RequestSeries, type PairSeries } from './request-series.ts'

const NONE = ''
/** nginx's: the client has gone. */
const GONE = 499

/** What is counted and timed of requests. Prometheus reads it off; a request pays some additions. */
export class RequestMetrics {
  readonly series = new RequestSeries()

  /** Called once for each, when it has ended. */
  finished(exchange: Exchange): void {
    const { series } = this
    const { call, flight, latencyMs } = exchange
    const endpoint = endpointLabel(exchange)
    const pair = series.pairOf(aliasOf(exchange), providerOf(exchange))
    const path = series.pathOf(pair, endpoint)
    series.countStatus(path, statusOf(exchange))
    path.duration.observe(latencyMs / 1_000)
    series.overheadOf(endpoint).observe(exchange.overheadMs() / 1_000)
    const firstTokenAt = exchange.firstTokenAt ?? flight?.attempt?.firstTokenAt ?? null
    if (firstTokenAt !== null && call !== null && call.stream)
      pair.firstToken.observe((firstTokenAt - exchange.began) / 1_000)
    addUsed(pair, exchange)
    const attempts = attemptsOf(exchange)
    for (let i = 0; i < attempts.length; i++) {
      const attempt = attempts[i]!
      series.outcomeOf(attempt.route.provider.name, outcomeOf(attempt)).count++
    }
  }
}

/** What providers were paid for; an answer that is given once more costs nothing. */
function addUsed(pair: PairSeries, exchange: Exchange): void {
  const flight = exchange.stored === null ? paidBy(exchange) : null
  if (flight === null) return
  pair.inputTokens += flight.usage.inputTokens
  pair.outputTokens += flight.usage.outputTokens
  if (flight.costUsd !== null) pair.costUsd += Number(flight.costUsd)
}

/** What a client has made up is no alias, nor is what it calls a provider by that is addressed directly. */
function aliasOf({ found }: Exchange): string {
  return found === null || found.alias.id === null ? NONE : found.alias.name
}

function providerOf({ stored, flight }: Exchange): string {
  return stored?.providerName ?? flight?.attempt?.route.provider.name ?? NONE
}

/**
 * The answer's HTTP status. Of one that failed after its head had gone to the client, what it would have been before; 499 if
 * the client, or an operator, has ended it.
 */
function statusOf({ outcome, res }: Exchange): number {
  const status = outcome?.status ?? 'ERROR'
  if (status === 'CANCELLED' || !res.headersSent) return GONE
  if (status === 'SUCCESS' || res.statusCode >= 400) return res.statusCode
  if (status === 'TIMEOUT') return 504
  return outcome?.errorClass === 'shutting_down' ? 503 : 502
}

function outcomeOf({ failure, fault }: Attempt): string {
  if (failure !== null) return failure.errorClass
  return fault === null ? 'success' : 'internal_error'
}
