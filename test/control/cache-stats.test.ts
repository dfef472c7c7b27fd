/** How the proxies' caches do, put together from what they report, on each database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { newId, NO_CACHE_REPORT, REPORT_PROXY_MUTATION, type CacheReport } from '@millrace/shared'

import { waitFor } from '../helpers/wait.ts'
import { ReportedProxy } from './reports.ts'
import { onEachDatabase } from './suites.ts'

const STATS = '{ it: cacheStats { entries bytes hits misses stores bypasses coalesced } }'
const REPORT = {
  id: newId(),
  version: '0.0.1',
  startedAt: '2026-01-01T00:00:00Z',
  configRevision: 1,
  inFlight: 0,
  requestsPerSecond: 0,
  recordsQueued: 0,
  recordsDropped: 0,
}

await onEachDatabase((stage) => {
  const stats = async (): Promise<CacheReport> => ({ ...(await stage.control.gql(STATS))['it'] })
  const send = (more: object): Promise<unknown> =>
    stage.control.gql(REPORT_PROXY_MUTATION, { report: { ...REPORT, ...more } }, stage.control.proxyKey)

  test('without a proxy they are nothing', async () => {
    assert.deepEqual(await stats(), NO_CACHE_REPORT)
  })

  test('are the sum of what the proxies report that are online', async () => {
    await using one = new ReportedProxy(stage.control)
    await using other = new ReportedProxy(stage.control)
    await one.reportCache({ entries: 1, bytes: 67_108_864, hits: 3, misses: 4, stores: 5, bypasses: 6, coalesced: 7 })
    await other.reportCache({ entries: 10, bytes: 2 ** 40, hits: 30 })
    const both = {
      entries: 11,
      bytes: 67_108_864 + 2 ** 40,
      hits: 33,
      misses: 4,
      stores: 5,
      bypasses: 6,
      coalesced: 7,
    }
    assert.deepEqual(await stats(), both)
    // One that was not upgraded yet.
    await send({})
    await send({ cache: null })
    assert.deepEqual(await stats(), both)
    await one.reportCache({ hits: 4 })
    assert.deepEqual(await stats(), { ...NO_CACHE_REPORT, entries: 10, bytes: 2 ** 40, hits: 34 })
    other.fallSilent()
    await waitFor(async () => (await stats()).entries === 0, { timeoutMs: 20_000, what: 'it to be gone' })
    assert.deepEqual(await stats(), { ...NO_CACHE_REPORT, hits: 4 })
  })

  test('are no larger than what can be told', async () => {
    await using one = new ReportedProxy(stage.control)
    await using other = new ReportedProxy(stage.control)
    for (const proxy of [one, other]) await proxy.reportCache({ hits: Number.MAX_SAFE_INTEGER })
    assert.equal((await stats()).hits, Number.MAX_SAFE_INTEGER)
  })

  test('a report without sense is refused, and names what is wrong', async () => {
    for (const cache of ['x', [], { ...NO_CACHE_REPORT, hits: -1 }, { entries: 1 }])
      await assert.rejects(send({ cache }), { code: 'BAD_USER_INPUT', field: 'report.cache' })
  })
})
