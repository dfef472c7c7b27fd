import { newId, type RequestRecord } from '@millrace/shared'

/** A record with every field set, of things that are nowhere. */
export function sample(more: Partial<RequestRecord> = {}): RequestRecord {
  const now = new Date().toISOString()
  return {
    id: newId(),
    requestId: newId(),
    startedAt: now,
    finishedAt: now,
    projectId: newId(),
    tokenId: newId(),
    endpoint: '/v1/chat/completions',
    model: 'sample',
    aliasId: newId(),
    providerId: newId(),
    providerModel: 'sample-model',
    stream: false,
    status: 'SUCCESS',
    httpStatus: 200,
    errorClass: null,
    errorMessage: null,
    usage: { inputTokens: 1, outputTokens: 2, cachedInputTokens: 1, reasoningTokens: 1, source: 'PROVIDER' },
    latencyMs: 12.5,
    timeToFirstTokenMs: 3.25,
    overheadMs: 0.125,
    attempts: [
      {
        index: 0,
        routeId: newId(),
        providerId: newId(),
        providerName: 'gone',
        providerModel: 'sample-model',
        startedAt: now,
        latencyMs: 12,
        timeToFirstTokenMs: 3,
        upstreamStatus: 200,
        errorClass: null,
        errorMessage: null,
        upstreamUrl: 'http://127.0.0.1:9/v1',
        contentType: 'application/json',
        credentialSource: 'PROVIDER',
        credentialFingerprint: 'sha256:0123456789abcdef',
        hedged: false,
      },
    ],
    userKey: 'a user',
    conversationKey: 'a conversation',
    metadata: { team: 'a', n: [1, null] },
    configRevision: 1,
    proxyId: newId(),
    ...more,
  }
}
