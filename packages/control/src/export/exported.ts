/** A record as it leaves: what the API shows of it, with ids for what it refers to. */
import type { RequestRecord } from '@millrace/shared'

import { Decimal } from '../graphql/scalars.ts'

/** Without its routing decision, which is kept for a shorter time. */
export function exportedOf(record: RequestRecord) {
  const { id, requestId, startedAt, finishedAt, projectId, tokenId, endpoint, model } = record
  const { aliasId, providerId, providerModel, stream, status, httpStatus, errorClass, errorMessage } = record
  const { cache, cacheTier, usage, billed, costUsd, latencyMs, timeToFirstTokenMs, overheadMs, attempts } = record
  const { userKey, conversationKey, metadata, configRevision, proxyId } = record
  return {
    id,
    requestId,
    startedAt,
    finishedAt,
    projectId,
    tokenId,
    endpoint,
    model,
    aliasId,
    providerId,
    providerModel,
    stream,
    status,
    httpStatus,
    errorClass,
    errorMessage,
    cache,
    cacheTier,
    usage: { ...usage, billed },
    costUsd: costUsd === null ? null : Decimal.serialize(costUsd),
    latencyMs,
    timeToFirstTokenMs,
    overheadMs,
    attempts: attempts.map((attempt) => ({ ...attempt, startedAt: new Date(attempt.startedAt).toISOString() })),
    userKey,
    conversationKey,
    metadata,
    configRevision,
    proxyId,
  }
}

export type Exported = ReturnType<typeof exportedOf>
