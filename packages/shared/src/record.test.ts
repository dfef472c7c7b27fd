import assert from 'node:assert/strict'
import { it } from 'node:test'

import { newId } from './id.ts'
import { parseRecord, recordText, type RequestRecord } from './record.ts'
import { NO_USAGE } from './usage.ts'

const record: RequestRecord = {
  id: newId(),
  requestId: 'r',
  startedAt: new Date().toISOString(),
  finishedAt: new Date().toISOString(),
  projectId: null,
  tokenId: null,
  endpoint: '/v1/chat/completions',
  model: '',
  aliasId: null,
  providerId: null,
  providerModel: null,
  stream: false,
  status: 'REJECTED',
  httpStatus: 401,
  errorClass: 'invalid_api_key',
  errorMessage: 'no',
  cache: 'HIT',
  cacheTier: 'SHARED',
  billed: false,
  usage: NO_USAGE,
  counted: true,
  costUsd: '0.000123',
  latencyMs: 0.5,
  timeToFirstTokenMs: null,
  overheadMs: 0.5,
  attempts: [],
  decision: {
    strategy: 'WEIGHTED',
    candidates: [
      {
        routeId: newId(),
        providerId: newId(),
        providerName: 'openai',
        providerModel: 'gpt-5',
        priority: 0,
        weight: 1,
        score: 1,
        excluded: 'BREAKER_OPEN',
        selected: false,
      },
    ],
    sticky: {
      scope: 'USER',
      key: 'alias:project:USER:someone',
      routeId: null,
      hit: false,
      action: 'BIND',
      backend: 'memory',
      boundAt: new Date().toISOString(),
      expiresAt: null,
    },
    selectedRouteId: null,
    fallbackUsed: false,
  },
  userKey: null,
  conversationKey: null,
  metadata: { team: ['a', 1, null] },
  configRevision: 1,
  proxyId: newId(),
}

const candidate = record.decision!.candidates[0]!

it('reads a record, and drops what it does not know', () => {
  assert.deepEqual(parseRecord({ ...record, later: 'field' }), record)
})

it('reads a record of what was neither routed nor priced', () => {
  const refused = { ...record, costUsd: null, decision: null }
  assert.deepEqual(parseRecord(refused), refused)
})

it('reads a record of a proxy that knew neither audio nor what counts', () => {
  const { counted: _, usage, ...rest } = record
  const { inputAudioTokens: _a, outputAudioTokens: _b, cacheWriteTokens: _c, ...known } = usage
  assert.deepEqual(parseRecord({ ...rest, usage: known }), { ...record, counted: false })
})

it('reads a record of a proxy that knew no cache', () => {
  const { cache: _, cacheTier: _tier, billed: _billed, ...rest } = record
  assert.deepEqual(parseRecord(rest), { ...record, cache: 'BYPASS', cacheTier: null, billed: true })
})

for (const [path, over] of [
  ['id', { id: 'x' }],
  ['status', { status: 'GOOD' }],
  ['httpStatus', { httpStatus: 42 }],
  ['usage.inputTokens', { usage: { ...NO_USAGE, inputTokens: -1 } }],
  ['latencyMs', { latencyMs: Number.NaN }],
  ['model', { model: 'x'.repeat(5_000) }],
  ['startedAt', { startedAt: 'yesterday' }],
  ['costUsd', { costUsd: '1e-7' }],
  ['costUsd', { costUsd: 0.1 }],
  ['costUsd', { costUsd: '-1' }],
  ['cache', { cache: 'STALE' }],
  ['cacheTier', { cacheTier: 'DISK' }],
  ['billed', { billed: null }],
  ['decision.strategy', { decision: { ...record.decision, strategy: 'BEST' } }],
  [
    'decision.candidates.0.excluded',
    { decision: { ...record.decision, candidates: [{ ...candidate, excluded: 'x' }] } },
  ],
  ['decision.sticky.action', { decision: { ...record.decision, sticky: { ...record.decision!.sticky, action: 'x' } } }],
] as const) {
  it(`refuses a record whose ${path} is wrong, naming the path and not the value`, () => {
    assert.throws(
      () => parseRecord({ ...record, ...over }),
      (error: Error) => error.message.startsWith(`malformed record: ${path}: `) && !error.message.includes('xxxxx'),
    )
  })
}

it('makes text that PostgreSQL takes', () => {
  assert.equal(recordText('a\0b\ud800c'), 'a\ufffdb\ufffdc')
  assert.equal(recordText('😀'.repeat(3_000)).length, 4_096)
  assert.equal(recordText(`x${'😀'.repeat(3_000)}`).isWellFormed(), true)
})
