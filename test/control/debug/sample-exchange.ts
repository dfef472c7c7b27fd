import { newId, type DebugExchange } from '@millrace/shared'

/** An exchange with every field set, of things that are nowhere. */
export function sampleExchange(more: Partial<DebugExchange> = {}): DebugExchange {
  return {
    id: newId(),
    requestId: newId(),
    at: new Date().toISOString(),
    projectId: newId(),
    tokenId: newId(),
    method: 'POST',
    target: '/v1/chat/completions?a=1',
    model: 'sample',
    requestHeaders: { 'content-type': 'application/json', authorization: '[redacted]' },
    requestBody: '{"said": "hello"}',
    responseStatus: 200,
    responseHeaders: { vary: ['origin', 'accept'] },
    responseBody: 'data: hello\n\n',
    retentionHours: 24,
    truncated: false,
    ...more,
  }
}
