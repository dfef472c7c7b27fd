/** How records are kept by the day, whenever they come, and for how long, on each database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { newId, type RequestRecord } from '@millrace/shared'
import pg from 'pg'

import { EVERYWHERE } from '../../packages/control/dist/access/scope.js'
import { isLockTimeout } from '../../packages/control/dist/db/failure.js'
import { openServer } from '../../packages/control/dist/db/server.js'
import { DecisionService } from '../../packages/control/dist/decisions/decision.service.js'
import { IngestService } from '../../packages/control/dist/requests/ingest.service.js'
import { RequestService } from '../../packages/control/dist/requests/request.service.js'
import { Retention } from '../../packages/control/dist/requests/retention.js'
import { SpendingService } from '../../packages/control/dist/spending/spending.service.js'
import { BindingStore } from '../../packages/control/dist/sticky/binding.store.js'
import { sample } from './sample.ts'
import { LOG, onEachStore } from './stores.ts'

const DAY_MS = 86_400_000
const SETTINGS = { MILLRACE_RECORD_DAYS: 20, MILLRACE_DECISION_DAYS: 5, MILLRACE_DEBUG_DAYS: 2 }
const { signal } = new AbortController()

const TODAY = Math.floor(Date.now() / DAY_MS)
/** So many days from now, at noon (UTC). */
const inDays = (days: number): Date => new Date((TODAY + days + 0.5) * DAY_MS)
const partitionOf = (table: string, at: Date): string => `${table}_${at.toISOString().slice(0, 10).replaceAll('-', '')}`

/** Whoever gets no lock within half a second tries again the next time. */
function unlessLockTimeout(error: unknown): void {
  if (!isLockTimeout(error)) throw error
}

await onEachStore((store) => {
  const parts = () => {
    const { database } = store
    const feed = { publish: () => undefined }
    return {
      retention: new Retention(database, SETTINGS),
      ingest: new IngestService(database, feed, new BindingStore(database, LOG), LOG),
      requests: new RequestService(database),
      decisions: new DecisionService(database, null as never),
      spending: new SpendingService(database),
    }
  }
  const select = async (sql: string): Promise<any> => (await store.database.em().execute<any[]>(sql))[0]
  const isThere = async (name: string): Promise<boolean> =>
    (await select(`select to_regclass('${name}') is not null as it`)).it
  const countIn = async (table: string, ids: readonly string[]): Promise<number> =>
    (await select(`select count(*)::integer as it from ${table} where id in ('${ids.join("','")}')`)).it

  test('partitions are made ahead, and once', async () => {
    const { retention } = parts()
    await retention.keepUp(signal)
    for (const table of ['request_record', 'route_decision', 'debug_exchange'])
      for (const days of [0, 1, 2, 3]) assert.ok(await isThere(partitionOf(table, inDays(days))), `${table} ${days}`)
    const all = 'select count(*)::integer as it from pg_inherits'
    const { it } = await select(all)
    await retention.keepUp(signal)
    assert.equal((await select(all)).it, it)
  })

  test('days on which nobody looked after partitions get theirs, before there are rows', async () => {
    const { retention } = parts()
    await retention.keepUp(signal, inDays(7))
    for (const table of ['request_record', 'route_decision'])
      for (const days of [4, 5, 6, 7, 10])
        assert.ok(await isThere(partitionOf(table, inDays(days))), `${table} ${days}`)
    await retention.keepUp(signal)
  })

  test('a record of another day is stored once, wherever it lies, and however often it comes', async () => {
    const { ingest, retention, requests } = parts()
    const record = sample({ startedAt: inDays(-4).toISOString() })
    const ids = [record.id]
    assert.deepEqual(await ingest.ingest([record, record]), { stored: 1, duplicates: 1, refused: 0 })
    assert.deepEqual(await ingest.ingest([sample(), record]), { stored: 1, duplicates: 1, refused: 0 })
    assert.equal(await countIn('request_record_default', ids), 1)
    await retention.keepUp(signal)
    assert.equal(await countIn('request_record_default', ids), 0)
    assert.equal(await countIn(partitionOf('request_record', inDays(-4)), ids), 1)
    assert.equal(await countIn(partitionOf('route_decision', inDays(-4)), ids), 1)
    assert.deepEqual(await ingest.ingest([record]), { stored: 0, duplicates: 1, refused: 0 })
    assert.deepEqual(await requests.findById(EVERYWHERE, record.id), record)
  })

  test('a record of a clock that is wrong is stored, and gets its place when its time has come', async () => {
    const { ingest, retention, requests } = parts()
    const ahead = inDays(40)
    const [model, id] = ['ahead of its time', newId()]
    await ingest.ingest([sample({ id, model, startedAt: ahead.toISOString() })])
    await retention.keepUp(signal)
    assert.equal(await countIn('request_record_default', [id]), 1)
    const { edges } = await requests.page(EVERYWHERE, { model }, 5, null)
    assert.deepEqual(
      edges.map(({ node }) => node.id),
      [id],
    )
    await retention.keepUp(signal, inDays(38))
    assert.equal(await countIn(partitionOf('request_record', ahead), [id]), 1)
    assert.equal((await ingest.ingest([sample({ id, startedAt: ahead.toISOString() })])).duplicates, 1)
    await retention.keepUp(signal)
  })

  test('decisions go before their records, and both by the day', async () => {
    const { ingest, retention, requests, decisions, spending } = parts()
    const projectId = newId()
    const [old, recent] = [-5, -4].map((days) =>
      sample({ projectId, startedAt: inDays(days).toISOString(), costUsd: '2' }),
    )
    await ingest.ingest([old!, recent!])
    const later = inDays(1)
    await retention.keepUp(signal)
    await retention.keepUp(signal, later)
    assert.equal(await isThere(partitionOf('route_decision', inDays(-5))), false)
    assert.ok(await isThere(partitionOf('request_record', inDays(-5))))
    const [seen, kept] = [old!, recent!].map(({ id }) => requests.findById(EVERYWHERE, id))
    assert.deepEqual(await seen, { ...old!, decision: null })
    assert.deepEqual(await kept, recent)
    const { edges } = await decisions.page(EVERYWHERE, { project: projectId }, 5, null)
    assert.deepEqual(
      edges.map(({ node }) => node.id),
      [recent!.id],
    )
    // What is sent again does not bring back what has gone.
    assert.equal((await ingest.ingest([old!])).stored, 0)
    assert.equal((await requests.findById(EVERYWHERE, old!.id))!.decision, null)

    await retention.keepUp(signal, inDays(60))
    assert.equal(await isThere(partitionOf('request_record', inDays(-4))), false)
    assert.equal(await requests.findById(EVERYWHERE, recent!.id), null)
    assert.deepEqual((await requests.page(EVERYWHERE, { project: projectId }, 5, null)).edges, [])
    assert.equal((await spending.used([{ id: projectId, window: 'total' }])).get(projectId)!.spentUsd, '4')
    const facets = `select count(*)::integer as it from record_facet where project_id = '${projectId}'`
    assert.equal((await select(facets)).it, 0)
    await retention.keepUp(signal)
  })

  test('a record that comes after its time is counted, and stays for a day', async () => {
    const { ingest, retention, requests, spending } = parts()
    const tokenId = newId()
    const record = sample({ tokenId, costUsd: '3', startedAt: inDays(-300).toISOString() })
    assert.equal((await ingest.ingest([record])).stored, 1)
    await retention.keepUp(signal)
    assert.equal((await ingest.ingest([record])).duplicates, 1)
    const listed = await requests.page(EVERYWHERE, { token: tokenId, model: record.model }, 5, null)
    assert.equal(listed.edges.length, 1)
    await retention.keepUp(signal, inDays(2))
    assert.equal(await requests.findById(EVERYWHERE, record.id), null)
    assert.equal((await spending.used([{ id: tokenId, window: 'total' }])).get(tokenId)!.spentUsd, '3')
    await retention.keepUp(signal)
  })

  test('while several look after partitions, records are stored, and none twice', async () => {
    const { ingest, retention } = parts()
    const stack = new AsyncDisposableStack()
    const retentions = [retention]
    if (store.url !== null) {
      const other = await openServer(store.url, LOG)
      stack.defer(() => other.close())
      retentions.push(new Retention(other, SETTINGS))
    }
    try {
      const days = [-15, -14, -13, -12, -11, -10, -9]
      const batches = Array.from({ length: 12 }, () =>
        days.flatMap((one) => [sample({ startedAt: inDays(one).toISOString() }), sample()]),
      )
      let stored = 0
      const sent = async (batch: readonly RequestRecord[]): Promise<void> => {
        const result = await ingest.ingest(batch)
        stored += result.stored
      }
      const keeping = Promise.all(
        retentions.map(async (one) => {
          for (let i = 0; i < 4; i++) await one.keepUp(signal).catch(unlessLockTimeout)
        }),
      )
      // Each twice, one by one: a batch of one record has no halves to try.
      for (const batch of batches)
        await Promise.all([sent(batch), ...batch.slice(0, 3).map((record) => sent([record]))])
      await keeping
      await retention.keepUp(signal)
      const ids = batches.flat().map(({ id }) => id)
      assert.equal(stored, ids.length)
      assert.equal(await countIn('request_record', ids), ids.length)
      assert.equal(await countIn('route_decision', ids), ids.length)
      assert.equal((await select('select count(*)::integer as it from request_record_default')).it, 0)
    } finally {
      await stack.disposeAsync()
    }
  })

  test('who reads for long keeps a partition from being dropped, and nobody from writing', async (context) => {
    if (store.url === null) return context.skip('PGlite has one connection')
    const { ingest, retention } = parts()
    const at = inDays(-8)
    await ingest.ingest([sample({ startedAt: at.toISOString() })])
    await retention.keepUp(signal)
    const reader = new pg.Client({ connectionString: store.url })
    await reader.connect()
    try {
      await reader.query('begin')
      await reader.query('select count(*) from request_record')
      const dropping = assert.rejects(retention.keepUp(signal, inDays(14)), /lock timeout/)
      assert.equal((await ingest.ingest([sample()])).stored, 1)
      await dropping
      assert.ok(await isThere(partitionOf('request_record', at)))
      await reader.query('commit')
      await retention.keepUp(signal, inDays(14))
      assert.equal(await isThere(partitionOf('request_record', at)), false)
    } finally {
      await reader.end()
    }
  })
})
