/** Records of before there were partitions, as an upgrade finds them, on each database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Migrator } from '@mikro-orm/migrations'
import { newId, type RequestRecord } from '@millrace/shared'

import { EVERYWHERE } from '../../packages/control/dist/access/scope.js'
import type { Database } from '../../packages/control/dist/db/database.js'
import { DecisionService } from '../../packages/control/dist/decisions/decision.service.js'
import { RequestService } from '../../packages/control/dist/requests/request.service.js'
import { insertRecords } from '../../packages/control/dist/requests/request.store.js'
import { sample } from './sample.ts'
import { onEachStore } from './stores.ts'

const DAY_MS = 86_400_000

await onEachStore(
  (store) => {
    test('records and decisions are where they belong, and are found as before', async () => {
      const { database } = store
      const { migrator } = (database as unknown as { orm: { migrator: Migrator } }).orm
      await migrator.up({ to: '0007-cache' })
      const at = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString()
      const [today, before, ancient, refused] = [
        sample({ model: 'of today' }),
        sample({ startedAt: at(3), finishedAt: at(3) }),
        sample({ startedAt: at(900), finishedAt: at(900) }),
        sample({ decision: null, attempts: [], tokenId: null, projectId: null, aliasId: null, providerId: null }),
      ]
      const all = [today, before, ancient, refused] as const
      for (const record of all) await insertOld(database, record)
      await database.migrate()

      const requests = new RequestService(database)
      const decisions = new DecisionService(database, null as never)
      for (const record of all) assert.deepEqual(await requests.findById(EVERYWHERE, record.id), record)
      const listed = async (filter: object): Promise<string[]> =>
        (await requests.page(EVERYWHERE, filter, 50, null)).edges.map(({ node }) => node.id)
      const decided = async (filter: object): Promise<string[]> =>
        (await decisions.page(EVERYWHERE, filter, 50, null)).edges.map(({ node }) => node.id)
      assert.deepEqual(
        await listed({}),
        [today, refused, before, ancient].sort(newestFirst).map(({ id }) => id),
      )
      assert.deepEqual(await listed({ model: 'of today' }), [today.id])
      assert.deepEqual(await listed({ token: before.tokenId, provider: before.providerId, cache: ['MISS'] }), [
        before.id,
      ])
      assert.deepEqual(await listed({ project: ancient.projectId, search: 'SAMPLE' }), [ancient.id])
      assert.deepEqual(await decided({}), [today.id, before.id, ancient.id])
      assert.deepEqual(await decided({ route: before.decision!.selectedRouteId, stickyHit: false }), [before.id])
      assert.deepEqual(await decided({ alias: ancient.aliasId, token: ancient.tokenId }), [ancient.id])
      assert.equal((await insertRecords(database.em(), JSON.stringify(all))).size, 0)
    })
  },
  { migrate: false },
)

function newestFirst(a: RequestRecord, b: RequestRecord): number {
  return a.startedAt + a.id < b.startedAt + b.id ? 1 : -1
}

/** As the version before has stored it. */
async function insertOld(database: Database, record: RequestRecord): Promise<void> {
  const { usage, decision, attempts, ...rest } = record
  const asked = [...attempts.flatMap(({ routeId, providerId }) => [routeId, providerId]), decision?.selectedRouteId]
  const row: Record<string, unknown> = {
    ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [columnOf(key), value])),
    ...Object.fromEntries(Object.entries(usage).map(([key, value]) => [columnOf(key), value])),
    usage_source: usage.source,
    attempts: JSON.stringify(attempts),
    metadata: JSON.stringify(record.metadata),
    decision: decision && JSON.stringify(decision),
    sticky_hit: decision?.sticky.hit ?? null,
    fallback_used: decision?.fallbackUsed ?? null,
    asked_ids: `{${[...new Set(asked.filter((id) => id != null))].join()}}`,
    proxy_id: record.proxyId ?? newId(),
  }
  delete row['source']
  const columns = Object.keys(row)
  await database
    .em()
    .execute(
      `insert into request_record (${columns.join()}) values (${columns.map(() => '?').join()})`,
      Object.values(row),
    )
}

function columnOf(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
