import assert from 'node:assert/strict'
import { it } from 'node:test'

import { newId, parseHealth, type HealthReport, type ProviderHealthReport } from '@millrace/shared'

import { mergeHealth } from './merge-health.ts'

const PROVIDER = newId()
const ROUTE = newId()
const KEY = newId()

const quiet: ProviderHealthReport = {
  providerId: PROVIDER,
  state: 'CLOSED',
  windowRequests: 4,
  windowErrors: 1,
  inFlight: 1,
  latency: [
    [10, 3],
    [12, 1],
  ],
  timeToFirstToken: [],
  openedAt: null,
  retryAt: null,
  lastError: 'the newer',
  lastErrorAt: '2026-01-01T00:00:09.000Z',
}

const open: ProviderHealthReport = {
  ...quiet,
  state: 'OPEN',
  windowRequests: 20,
  windowErrors: 15,
  inFlight: 2,
  latency: [
    [9, 1],
    [12, 2],
  ],
  openedAt: '2026-01-01T00:00:05.000Z',
  retryAt: '2026-01-01T00:00:10.000Z',
  lastError: 'the older',
  lastErrorAt: '2026-01-01T00:00:05.000Z',
}

const report = (more: Partial<HealthReport>): HealthReport => ({
  providers: [],
  routes: [],
  direct: [],
  credentials: [],
  ...more,
})

it('adds what was counted, and believes the worst', () => {
  const route = { routeId: ROUTE, coolingUntil: null, streamLatencyMs: 100, answerLatencyMs: null, inFlight: 1 }
  const merged = mergeHealth([
    report({ providers: [quiet], routes: [route] }),
    report({
      providers: [open],
      routes: [{ ...route, coolingUntil: '2026-01-01T00:00:07.000Z', streamLatencyMs: 300, answerLatencyMs: 50 }],
      credentials: [{ credentialId: KEY, coolingUntil: null, unusable: true }],
    }),
    report({ credentials: [{ credentialId: KEY, coolingUntil: '2026-01-01T00:00:07.000Z', unusable: false }] }),
  ])
  assert.deepEqual(parseHealth(merged), merged)
  assert.deepEqual(merged.providers, [
    {
      ...open,
      windowRequests: 24,
      windowErrors: 16,
      inFlight: 3,
      latency: [
        [9, 1],
        [10, 3],
        [12, 3],
      ],
      lastError: 'the newer',
      lastErrorAt: '2026-01-01T00:00:09.000Z',
    },
  ])
  assert.deepEqual(merged.routes, [
    {
      routeId: ROUTE,
      coolingUntil: '2026-01-01T00:00:07.000Z',
      streamLatencyMs: 200,
      answerLatencyMs: 50,
      inFlight: 2,
    },
  ])
  assert.deepEqual(merged.credentials, [
    { credentialId: KEY, coolingUntil: '2026-01-01T00:00:07.000Z', unusable: true },
  ])
})

it('says of one what that says', () => {
  const one = report({ providers: [open, { ...quiet, providerId: newId() }] })
  assert.deepEqual(mergeHealth([one]), one)
  assert.deepEqual(mergeHealth([]), report({}))
})
