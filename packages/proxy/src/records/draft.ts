import { CLIENT_CLOSED_REQUEST, flat, recordText, type AttemptRecord, type RequestRecord } from '@millrace/shared'

import { attemptsOf, costOf, isBilled, isCounted, usageOf } from '../request/account.ts'
import type { Attempt } from '../request/attempt.ts'
import type { Exchange } from '../request/exchange.ts'

/** The record of a request that has ended, as JSON, but for its decision. */
export function draftRecord(exchange: Exchange): string {
  const { token, call, found, flight, stored, cache, outcome, res, gateway } = exchange
  const attempt = flight?.attempt
  const firstTokenAt = exchange.firstTokenAt ?? attempt?.firstTokenAt
  const cancelled = outcome?.status === 'CANCELLED'
  const record: Omit<RequestRecord, 'decision'> = {
    id: exchange.id,
    requestId: exchange.requestId,
    startedAt: isoTime(exchange.startedAt),
    finishedAt: isoTime(exchange.startedAt + exchange.latencyMs),
    projectId: token?.projectId ?? null,
    tokenId: token?.id ?? null,
    endpoint: recordText(exchange.endpoint),
    model: recordText(call?.model ?? ''),
    aliasId: found?.alias.id ?? null,
    providerId: stored?.providerId ?? attempt?.route.provider.id ?? null,
    providerModel: textOrNull(stored?.providerModel ?? attempt?.model),
    stream: call?.stream ?? false,
    status: outcome?.status ?? 'ERROR',
    httpStatus: cancelled || !res.headersSent ? CLIENT_CLOSED_REQUEST : res.statusCode,
    errorClass: outcome?.errorClass ?? null,
    errorMessage: textOrNull(outcome?.errorMessage),
    cache: cache.outcome,
    cacheTier: cache.outcome === 'HIT' ? cache.tier : null,
    billed: isBilled(exchange),
    usage: usageOf(exchange),
    counted: isCounted(exchange),
    costUsd: costOf(exchange),
    latencyMs: rounded(exchange.latencyMs),
    timeToFirstTokenMs: roundedOrNull(firstTokenAt == null ? null : firstTokenAt - exchange.began),
    overheadMs: rounded(exchange.overheadMs()),
    attempts: attemptsOf(exchange).map(attemptRecord),
    userKey: textOrNull(exchange.userKey),
    conversationKey: textOrNull(exchange.conversationKey),
    metadata: exchange.metadata,
    configRevision: exchange.snapshot?.revision ?? 0,
    proxyId: gateway.proxyId,
  }
  return JSON.stringify(record)
}

function attemptRecord(attempt: Attempt, index: number): AttemptRecord {
  const { route, credential } = attempt
  return {
    index,
    routeId: route.id,
    providerId: route.provider.id,
    providerName: route.provider.name,
    providerModel: recordText(attempt.model),
    startedAt: isoTime(attempt.startedAt),
    latencyMs: rounded(attempt.latencyMs),
    timeToFirstTokenMs: roundedOrNull(attempt.firstTokenAt === null ? null : attempt.firstTokenAt - attempt.began),
    upstreamStatus: attempt.upstreamStatus,
    errorClass: attempt.failure?.errorClass ?? null,
    errorMessage: textOrNull(attempt.failure?.message),
    upstreamUrl: recordText(attempt.target.url),
    contentType: textOrNull(attempt.contentType),
    credentialSource: credential?.source ?? null,
    credentialFingerprint: credential?.fingerprint ?? null,
    hedged: attempt.hedged,
  }
}

let second = Number.NaN
let secondText = ''

/** RFC 3339 in UTC. All but the milliseconds is made once a second: it is most of a record's cost otherwise. */
function isoTime(milliseconds: number): string {
  const whole = Math.floor(milliseconds / 1000)
  if (whole !== second) {
    second = whole
    secondText = new Date(whole * 1000).toISOString().slice(0, -4)
  }
  return flat(`${secondText}${String(Math.floor(milliseconds) - whole * 1000).padStart(3, '0')}Z`)
}

/** To the microsecond: what is beyond is noise. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}

function roundedOrNull(milliseconds: number | null): number | null {
  return milliseconds === null ? null : rounded(milliseconds)
}

function textOrNull(text: string | null | undefined): string | null {
  return text == null ? null : recordText(text)
}
