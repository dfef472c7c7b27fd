/** A database of the first version, with data in it, as this version finds it, on each database. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'

import type { Migrator } from '@mikro-orm/migrations'
import {
  DEFAULT_BREAKER,
  DEFAULT_CACHE,
  DEFAULT_RETRY,
  digest,
  INGEST_RECORDS_MUTATION,
  INSTRUCTIONS_SUBSCRIPTION,
  newId,
  type Instruction,
} from '@millrace/shared'

import type { Database } from '../../packages/control/dist/db/database.js'
import { openEmbedded } from '../../packages/control/dist/db/embedded.js'
import { openServer } from '../../packages/control/dist/db/server.js'
import { startControl } from '../helpers/control.ts'
import { databases } from '../helpers/postgres.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import * as documents from './documents.ts'
import { sample } from './sample.ts'

const SILENT = { debug: () => undefined } as unknown as Parameters<typeof openServer>[1]
const ADMIN_KEY = `ak-mr-${'a'.repeat(40)}`
const PROXY_KEY = `ak-mr-${'p'.repeat(40)}`
const [PROJECT, PROVIDER, CREDENTIAL, ALIAS, ROUTE, TOKEN, RECORD, PROXY] = Array.from({ length: 8 }, newId)

type Statement = readonly [sql: string, values: readonly unknown[]]

/** What the last version that had no cache has written: instructions of one kind, with numbers of their own. */
const CLEARS: readonly Statement[] = ['ann', 'bob'].map((key) => [
  'insert into sticky_clear (id, alias_id, key, at) values (?, ?, ?, clock_timestamp())',
  [newId(), ALIAS, key],
])

/** What the first version has written. */
const ROWS: readonly Statement[] = [
  [
    `insert into admin_key (id, name, role, prefix, digest, created_at)
     values (?, 'admin', 'ADMIN', 'ak-mr-', ?, now()), (?, 'proxies', 'PROXY', 'ak-mr-', ?, now())`,
    [newId(), digest(ADMIN_KEY), newId(), digest(PROXY_KEY)],
  ],
  [
    `insert into project (id, name, active, created_at, updated_at) values (?, 'default', true, now(), now())`,
    [PROJECT],
  ],
  [
    `insert into provider (id, name, kind, enabled, timeouts, settings, created_at, updated_at)
     values (?, 'old', 'SIMULATED', true, '{"idle": 7}', '{}', now(), now())`,
    [PROVIDER],
  ],
  [
    `insert into provider_credential (id, provider_id, fingerprint, env, enabled, created_at)
     values (?, ?, 'f', 'OLD_API_KEY', true, now())`,
    [CREDENTIAL, PROVIDER],
  ],
  [
    `insert into alias (id, name, enabled, strategy, created_at, updated_at)
     values (?, 'model', true, 'WEIGHTED', now(), now())`,
    [ALIAS],
  ],
  [
    `insert into route (id, alias_id, provider_id, provider_model, priority, weight, enabled, position)
     values (?, ?, ?, 'm', 0, 3, true, 0)`,
    [ROUTE, ALIAS, PROVIDER],
  ],
  [
    `insert into token (id, project_id, name, prefix, digest, created_at, updated_at)
     values (?, ?, 'token', 'sk-mr-x', ?, now(), now())`,
    [TOKEN, PROJECT, digest('a token')],
  ],
  [
    `insert into config_revision (number, created_at, author, changes) values
     (1, now(), 'millrace', '[{"action": "CREATE", "kind": "provider", "name": "old", "path": null, "before": null, "after": {}}]'),
     (2, now(), 'admin', '[{"action": "CREATE", "kind": "alias", "name": "model", "path": null, "before": null, "after": {}}]')`,
    [],
  ],
  [
    `insert into request_record (id, request_id, started_at, finished_at, project_id, token_id, endpoint, model, alias_id,
       provider_id, provider_model, stream, status, http_status, input_tokens, output_tokens, cached_input_tokens,
       reasoning_tokens, usage_source, latency_ms, overhead_ms, attempts, config_revision, proxy_id)
     values (?, 'old request', now(), now(), ?, ?, '/v1/chat/completions', 'model', ?, ?, 'm', false, 'SUCCESS', 200,
       1, 2, 0, 0, 'PROVIDER', 3, 0.5, '[]', 2, ?)`,
    [RECORD, PROJECT, TOKEN, ALIAS, PROVIDER, PROXY],
  ],
  [
    `insert into proxy_instance (id, version, started_at, last_seen_at, config_revision, in_flight, requests_per_second,
       records_queued, records_dropped)
     values (?, '0.0.1', now(), now() + interval '1 minute', 2, 0, 0, 0, 0)`,
    [PROXY],
  ],
]

const found = await databases()
after(() => found.close())

for (const kind of found.kinds) {
  describe(`on ${kind.name}`, { skip: kind.skip }, () => {
    test('an upgrade keeps what is there, and serves by it', async () => {
      await using stack = new AsyncDisposableStack()
      const folder = stack.use(await temporaryFolder())
      const { databaseUrl, [Symbol.asyncDispose]: drop } = await kind.create()
      stack.defer(drop)
      await writeOld(databaseUrl, folder.path)
      const control = stack.use(
        await startControl({
          dataDir: folder.path,
          ...(databaseUrl === undefined ? {} : { databaseUrl }),
          env: { MILLRACE_ADMIN_KEY: ADMIN_KEY },
        }),
      )
      assert.equal(control.firstStart, null)

      const all = await control.gql(`{
        aliases { name strategy sticky { scope } retry { maxAttempts } hedge { afterMs }
          cache { enabled ttlSeconds shareAcrossProject coalesce storeToolCalls replayPace }
          routes { id weight condition inputPrice outputPrice cachedInputPrice } }
        providers { id direct maxConcurrency timeouts { idle } breaker { errorRate } health { state } credentials { id } }
        requests(first: 5) { edges { node { id costUsd cache cacheTier usage { billed } decision { id } token { name } } } }
        routeDecisions(first: 5) { edges { node { id } } }
        cacheStats { entries hits } proxies { id version online } configRevision { number }
        projects { limits { maxConcurrent } budget { limitUsd } }
        tokens { edges { node { maxRequests status limits { maxConcurrent } budget { limitUsd } access { models } } } }
      }`)
      const prices = { inputPrice: null, outputPrice: null, cachedInputPrice: null }
      assert.deepEqual(JSON.parse(JSON.stringify(all)), {
        aliases: [
          {
            name: 'model',
            strategy: 'WEIGHTED',
            sticky: { scope: 'NONE' },
            retry: { maxAttempts: DEFAULT_RETRY.maxAttempts },
            hedge: null,
            cache: DEFAULT_CACHE,
            routes: [{ id: ROUTE, weight: 3, condition: null, ...prices }],
          },
        ],
        providers: [
          {
            id: PROVIDER,
            direct: false,
            maxConcurrency: null,
            timeouts: { idle: 7 },
            breaker: { errorRate: DEFAULT_BREAKER.errorRate },
            health: { state: 'CLOSED' },
            credentials: [{ id: CREDENTIAL }],
          },
        ],
        requests: {
          edges: [
            {
              node: {
                id: RECORD,
                costUsd: null,
                cache: 'BYPASS',
                cacheTier: null,
                usage: { billed: true },
                decision: null,
                token: { name: 'token' },
              },
            },
          ],
        },
        cacheStats: { entries: 0, hits: 0 },
        routeDecisions: { edges: [] },
        proxies: [{ id: PROXY, version: '0.0.1', online: true }],
        configRevision: { number: 2 },
        projects: [{ limits: { maxConcurrent: null }, budget: null }],
        tokens: {
          edges: [
            {
              node: {
                maxRequests: null,
                status: 'ACTIVE',
                limits: { maxConcurrent: null },
                budget: null,
                access: { models: null },
              },
            },
          ],
        },
      })

      const explain = async (configRevision?: number): Promise<any> => {
        const input = { model: 'model', token: TOKEN, ...(configRevision === undefined ? {} : { configRevision }) }
        const document = `query ($input: ExplainRouteInput!) {
          it: explainRoute(input: $input) { configRevision candidates { routeId excluded selected } }
        }`
        return JSON.parse(JSON.stringify((await control.gql(document, { input })).it))
      }
      const candidates = [{ routeId: ROUTE, excluded: null, selected: true }]
      assert.deepEqual(await explain(), { configRevision: 2, candidates })
      await control.gql(documents.UPDATE_ROUTE, { id: ROUTE, input: { enabled: false } })
      assert.deepEqual(await explain(2), { configRevision: 2, candidates }, 'the last of the old ones is known')
      await assert.rejects(explain(1), {
        code: 'NOT_FOUND',
        field: 'input.configRevision',
        message: /revision 1 was made before an upgrade/,
      })
      await assert.rejects(explain(4), { code: 'NOT_FOUND', message: /there is no revision of this id/ })

      // Instructions of before and since are one row.
      const told: unknown[] = []
      for (const document of ['{ purgeCache(input: { all: true }) }', `{ clearStickyBindings(alias: "${ALIAS}") }`])
        await control.gql(`mutation ${document}`)
      for await (const { instructions } of control.subscribe<{ instructions: Instruction }>(
        INSTRUCTIONS_SUBSCRIPTION,
        {},
        PROXY_KEY,
      )) {
        told.push(instructions.clearStickyBindings?.key ?? instructions.purgeCache)
        if (told.length === 4) break
      }
      assert.deepEqual(JSON.parse(JSON.stringify(told)), ['ann', 'bob', { projectId: null, model: null }, null])

      // A proxy that was not upgraded yet.
      const { costUsd: _, decision: __, ...record } = sample()
      const { ingestRecords } = await control.gql(INGEST_RECORDS_MUTATION, { records: [record] }, PROXY_KEY)
      assert.deepEqual({ ...ingestRecords }, { stored: 1, duplicates: 0, refused: 0 })
    })
  })
}

/** Makes the first version's tables, and fills them; then those of the last one that had no cache, likewise. */
async function writeOld(databaseUrl: string | undefined, dataDir: string): Promise<void> {
  const database = await (databaseUrl === undefined
    ? // Not with its folder's lock, which this process would hold to its end.
      openEmbedded(join(dataDir, 'pglite'), SILENT)
    : openServer(databaseUrl, SILENT))
  try {
    const migrator = migratorOf(database)
    await migrator.up({ to: '0001-initial' })
    for (const [sql, values] of ROWS) await database.em().execute(sql, [...values])
    await migrator.up({ to: '0006-access' })
    for (const [sql, values] of CLEARS) await database.em().execute(sql, [...values])
  } finally {
    await database.close()
  }
}

function migratorOf(database: Database): Migrator {
  return (database as unknown as { orm: { migrator: Migrator } }).orm.migrator
}
