/** What is told of a request that has ended, and to whom: its record, its metrics, its trace, a line in the log. */
import { recordText } from '@millrace/shared'

import { decisionMember } from '../records/decision.ts'
import { draftRecord } from '../records/draft.ts'
import type { Exchange } from './exchange.ts'

/** Called once for each. Of what a client sent nothing should be able to make it fail; if something does, no other request does. */
export function tellOf(exchange: Exchange): void {
  const { gateway, requestId, trace } = exchange
  try {
    gateway.records.push(draftRecord(exchange), decisionMember(exchange))
  } catch (error) {
    gateway.records.dropped++
    gateway.log.error({ err: error, requestId }, 'a record could not be written')
  }
  try {
    gateway.metrics.finished(exchange)
    if (trace !== null) trace.finished(exchange)
    if (gateway.log.isLevelEnabled('debug')) logLine(exchange)
  } catch (error) {
    gateway.log.error({ err: error, requestId }, 'a request could not be counted or traced')
  }
}

/** No body, and no header but the request's id: the record has more, for those who may read it. */
function logLine(exchange: Exchange): void {
  const { requestId, id, res, outcome, endpoint, found, flight, stored, cache, token, latencyMs, trace } = exchange
  exchange.gateway.log.debug(
    {
      requestId,
      record: id,
      endpoint: recordText(endpoint),
      status: outcome?.status ?? 'ERROR',
      httpStatus: res.headersSent ? res.statusCode : null,
      errorClass: outcome?.errorClass ?? null,
      alias: found === null ? null : found.alias.name,
      provider: stored?.providerName ?? flight?.attempt?.route.provider.name ?? null,
      attempts: flight?.attempts.length ?? 0,
      cache: cache.outcome,
      token: token?.id ?? null,
      latencyMs: Math.round(latencyMs * 1_000) / 1_000,
      ...(trace === null ? {} : { trace_id: trace.context.traceId, span_id: trace.context.spanId }),
    },
    'request finished',
  )
}
