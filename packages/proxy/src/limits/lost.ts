/** Requests that ended with their process: what they had reserved counts in full, and they get a record all the same. */
import { setTimeout as delay } from 'node:timers/promises'

import { fromPicodollars, recordText, type RequestRecord } from '@millrace/shared'

import type { RecordQueue } from '../records/queue.ts'
import type { Claim } from './store.ts'

/** A claim that nobody is left to settle. */
export type LostClaim = Pick<Claim, 'id' | 'at' | 'cost' | 'about'>

/** Sees to the records of claims that were lost. Resolves once control has them; until then they may be told again. */
export type LostRecorder = (lost: readonly LostClaim[]) => Promise<void>

/** How long is waited for control before it is looked again. */
const LOOK_MS = 60_000
/** The same for room among the records that wait. */
const ROOM_MS = 50

/** Puts the records of lost claims with the others. */
export function lostRecorder(records: RecordQueue): LostRecorder {
  return async (lost) => {
    const since = records.mark
    for (const claim of lost) {
      // There may be more of them than the queue has room for.
      while (records.crowded) await delay(ROOM_MS, undefined, { ref: false })
      records.push(lostRecord(claim))
    }
    while (!(await records.stored(LOOK_MS, since)));
  }
}

function lostRecord({ id, at, cost, about }: LostClaim): string {
  const { requestId, tokenId, projectId, endpoint, model, aliasId, stream, configRevision, proxyId } = about
  const record: RequestRecord = {
    id,
    requestId,
    startedAt: new Date(at).toISOString(),
    finishedAt: new Date().toISOString(),
    projectId,
    tokenId,
    endpoint: recordText(endpoint),
    model: recordText(model),
    aliasId,
    providerId: null,
    providerModel: null,
    stream,
    status: 'ERROR',
    httpStatus: 500,
    errorClass: 'internal_error',
    errorMessage: 'the proxy ended before the request did; what was reserved counts in full',
    cache: 'BYPASS',
    cacheTier: null,
    billed: true,
    usage: {
      inputTokens: about.inputTokens,
      outputTokens: about.outputTokens,
      cachedInputTokens: 0,
      cacheWriteTokens: 0,
      reasoningTokens: 0,
      inputAudioTokens: 0,
      outputAudioTokens: 0,
      source: 'ESTIMATED',
    },
    counted: true,
    costUsd: cost === 0n ? null : fromPicodollars(cost),
    latencyMs: Math.max(0, Date.now() - at),
    timeToFirstTokenMs: null,
    overheadMs: 0,
    attempts: [],
    decision: null,
    userKey: null,
    conversationKey: null,
    metadata: null,
    configRevision,
    proxyId,
  }
  return JSON.stringify(record)
}
