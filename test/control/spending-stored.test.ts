/** How sums and counts are stored: by many at once, and of what was there before them, on each database. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import type { Migrator } from '@mikro-orm/migrations'
import { newId, type RequestRecord } from '@millrace/shared'
import { pino } from 'pino'

import type { Database } from '../../packages/control/dist/db/database.js'
import { openDatabase } from '../../packages/control/dist/db/open.js'
import { Bus } from '../../packages/control/dist/feed/bus.js'
import { createLoaders } from '../../packages/control/dist/graphql/loaders.js'
import { IngestService } from '../../packages/control/dist/requests/ingest.service.js'
import { SpendingService } from '../../packages/control/dist/spending/spending.service.js'
import { BindingStore } from '../../packages/control/dist/sticky/binding.store.js'
import { databases } from '../helpers/postgres.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { sample } from './sample.ts'

const LOG = pino({ level: 'silent' })
const [PROJECT, TOKEN, IDLE, EARLY, PROXY] = Array.from({ length: 5 }, newId) as [
  string,
  string,
  string,
  string,
  string,
]

/** As the version before has stored them: when, whose, for how much, and whether it was tried. */
const BEFORE: readonly (readonly [startedAt: string, token: string | null, cost: string | null, attempts: string])[] = [
  ['2026-10-31T23:59:59.999Z', TOKEN, '0.1', '[{}]'],
  ['2026-11-01T00:00:00.000Z', TOKEN, '0.2', '[{}]'],
  ['2026-11-01T00:00:00.001Z', TOKEN, '0.000000000003', '[{}]'],
  ['2026-11-01T12:00:00.000Z', TOKEN, null, '[]'],
  ['2026-11-02T00:00:00.000Z', EARLY, '4', '[{}]'],
  ['2026-11-02T00:00:00.000Z', null, null, '[]'],
]

const found = await databases()
after(() => found.close())

for (const kind of found.kinds) {
  describe(`on ${kind.name}`, { skip: kind.skip }, () => {
    const stack = new AsyncDisposableStack()
    let database: Database
    let spending: SpendingService
    let ingest: IngestService
    before(async () => {
      const folder = stack.use(await temporaryFolder())
      const { databaseUrl, [Symbol.asyncDispose]: drop } = await kind.create()
      stack.defer(drop)
      database = await openDatabase(databaseUrl, folder.path, LOG)
      stack.defer(() => database.close())
      spending = new SpendingService(database)
      ingest = new IngestService(database, new Bus(), new BindingStore(database, LOG), LOG)
      await migratorOf(database).up({ to: '0003-observation' })
      for (const row of BEFORE) await insertOld(database, row)
      await database.migrate()
    })
    after(() => stack.disposeAsync())

    test('what was stored before an upgrade is in the sums, and what comes is added', async () => {
      const read = (window: string) =>
        spending.used([PROJECT, TOKEN, IDLE, EARLY].map((id) => ({ id, window }))).then((all) => [...all.values()])
      const [project, token, idle, early] = await read('total')
      assert.equal(project!.spentUsd, '4.300000000003')
      const lastUsedAt = new Date('2026-11-01T12:00:00.000Z')
      assert.deepEqual(token, { spentUsd: '0.300000000003', requests: 3, cacheHits: 0, lastUsedAt })
      assert.deepEqual(idle, { spentUsd: '0', requests: 0, cacheHits: 0, lastUsedAt: null })
      assert.equal(early!.spentUsd, '4')
      assert.deepEqual(
        (await read('2026-11')).map(({ spentUsd }) => spentUsd),
        ['4.200000000003', '0.200000000003', '0', '4'],
      )
      const startedAt = '2026-11-01T23:00:00Z'
      await ingest.ingest([sample({ projectId: PROJECT, tokenId: TOKEN, costUsd: '0.8', startedAt })])
      const now = (await read('2026-11-01'))[1]!
      assert.deepEqual([now.spentUsd, now.requests], ['1.000000000003', 4])
      assert.deepEqual(now.lastUsedAt, new Date(startedAt))
    })

    test('who asks for other windows of the same at once is told of each', async () => {
      const id = newId()
      const startedAt = '2026-11-20T10:00:00Z'
      await ingest.ingest([sample({ tokenId: id, costUsd: '1', startedAt })])
      const { used } = createLoaders(database, spending, false)
      const windows = ['2026-11-19', 'total', null, '2026-11', '2026-11-19']
      const all = await Promise.all(windows.map((window) => used.load({ id, window })))
      assert.deepEqual(
        all.map(({ spentUsd }) => spentUsd),
        ['0', '1', '0', '1', '0'],
      )
    })

    test('of many tokens, told by many at once: nobody waits for one who waits for him', async () => {
      const tokens = Array.from({ length: 300 }, newId)
      const batchOf = (): RequestRecord[] =>
        tokens.map((tokenId) => sample({ tokenId, costUsd: '0.1', decision: null }))
      const told = (batch: readonly RequestRecord[]): Promise<unknown> => ingest.ingest(batch)
      for (let round = 0; round < 3; round++) {
        const [same, ...others] = Array.from({ length: 4 }, batchOf) as [RequestRecord[], ...RequestRecord[][]]
        await Promise.all([told(same), told(same.toReversed()), told(same), told(same.toReversed())])
        await Promise.all(others.map((batch, i) => told(i % 2 === 0 ? batch : batch.toReversed())))
      }
      const used = await spending.used(tokens.map((id) => ({ id, window: 'total' })))
      for (const { spentUsd, requests } of used.values()) assert.deepEqual([spentUsd, requests], ['1.2', 12])
    })
  })
}

function insertOld(database: Database, [startedAt, token, cost, attempts]: (typeof BEFORE)[number]): Promise<unknown> {
  return database.em().execute(
    `insert into request_record (id, request_id, started_at, finished_at, project_id, token_id, endpoint, model, stream,
       status, http_status, input_tokens, output_tokens, cached_input_tokens, reasoning_tokens, usage_source, cost_usd,
       latency_ms, overhead_ms, attempts, config_revision, proxy_id)
     values (?, 'old', ?::timestamptz, ?::timestamptz, ?, ?, '/v1/chat/completions', 'model', false,
       'SUCCESS', 200, 1, 2, 0, 0, 'PROVIDER', ?::numeric, 3, 0.5, ?::jsonb, 2, ?)`,
    [newId(), startedAt, startedAt, PROJECT, token, cost, attempts, PROXY],
  )
}

function migratorOf(database: Database): Migrator {
  return (database as unknown as { orm: { migrator: Migrator } }).orm.migrator
}
