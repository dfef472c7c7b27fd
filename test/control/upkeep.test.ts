/** The embedded database does not grow by what it no longer holds. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { newId, parseHealth, type HealthReport } from '@millrace/shared'
import { pino } from 'pino'

import { openDatabase } from '../../packages/control/dist/db/open.js'
import { keepUp } from '../../packages/control/dist/db/upkeep.js'
import { Bus } from '../../packages/control/dist/feed/bus.js'
import { ProxyService } from '../../packages/control/dist/proxies/proxy.service.js'
import { IngestService } from '../../packages/control/dist/requests/ingest.service.js'
import { BindingStore } from '../../packages/control/dist/sticky/binding.store.js'
import { temporaryFolder } from '../helpers/temporary.ts'
import { providerReport } from './reports.ts'
import { sample } from './sample.ts'

const WAL_FILE_BYTES = 16 * 1024 * 1024

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = stack.use(await temporaryFolder())
const log = pino({ level: 'silent' })
const database = await openDatabase(undefined, folder.path, log)
stack.defer(() => database.close())
await database.migrate()

const proxies = new ProxyService(database)
const providers = Array.from({ length: 20 }, () => newId())

/** As of a busy proxy: some 20 KB, and never the same. */
function busy(): HealthReport {
  const sketch = (): [number, number][] =>
    Array.from({ length: 60 }, (_, i) => [i + 50, Math.floor(Math.random() * 5_000)])
  const reports = providers.map((id) => providerReport(id, { latency: sketch(), timeToFirstToken: sketch() }))
  return parseHealth({ providers: reports, routes: [] })
}

function reporter(): (health: HealthReport) => Promise<void> {
  const id = newId()
  const rest = {
    version: '1',
    configRevision: 1,
    inFlight: 0,
    requestsPerSecond: 0,
    recordsQueued: 0,
    recordsDropped: 0,
  }
  return (health) => proxies.report({ id, startedAt: new Date(), ...rest, health })
}

async function tableBytes(table = 'proxy_instance'): Promise<number> {
  const [row] = await database
    .em()
    .execute<{ bytes: number }[]>('select pg_total_relation_size(?::regclass)::integer as bytes', [table])
  return row!.bytes
}

function logBytes(): number {
  const files = readdirSync(join(folder.path, 'pglite', 'pg_wal'), { withFileTypes: true })
  return files.filter((file) => file.isFile()).length * WAL_FILE_BYTES
}

test('by reports, between which it is kept up', async () => {
  const report = reporter()
  const round = async (): Promise<void> => {
    for (let i = 0; i < 90; i++) await report(busy())
    await keepUp(() => database.em())
  }
  for (let i = 0; i < 2; i++) await round()
  const before = await tableBytes()
  for (let i = 0; i < 10; i++) await round()
  assert.ok((await tableBytes()) <= 1.5 * before, `${await tableBytes()} bytes after ${before}`)
})

test('by sums that grow with each record', async () => {
  const bindings = new BindingStore(database, log)
  const ingest = new IngestService(database, new Bus(), bindings, log)
  const [projectId, providerId, ...tokens] = Array.from({ length: 12 }, newId)
  let minute = 0
  const round = async (): Promise<void> => {
    for (let i = 0; i < 60; i++) {
      const startedAt = new Date(Date.UTC(2026, 10, 20, 0, minute++ % 1_440)).toISOString()
      const records = tokens.map((tokenId) => sample({ projectId: projectId!, tokenId, startedAt, decision: null }))
      const told = records.map(({ attempts, ...record }) => ({
        ...record,
        attempts: attempts.map((attempt) => ({ ...attempt, startedAt, providerId })),
      }))
      assert.equal((await ingest.ingest(told)).stored, tokens.length)
    }
    await keepUp(() => database.em())
  }
  const sizes = async (): Promise<number[]> =>
    Promise.all(['subject_spend', 'token_use', 'credential_use'].map((table) => tableBytes(table)))
  await round()
  const before = await sizes()
  for (let i = 0; i < 5; i++) await round()
  const now = await sizes()
  for (const [i, bytes] of now.entries())
    assert.ok(bytes <= before[i]! + 16_384, `${now.join()} bytes after ${before.join()}`)
})

test('by the log of what was written', async () => {
  const execute = (sql: string): Promise<unknown> => database.em().execute(sql)
  await execute('create table written (text text)')
  for (let i = 0; i < 20; i++) {
    await execute('insert into written select repeat(md5(n::text), 40) from generate_series(1, 10000) as n')
    await execute('truncate written')
    await keepUp(() => database.em())
  }
  assert.ok(logBytes() <= 8 * WAL_FILE_BYTES, `${logBytes()} bytes of log`)
})

test('by reports that say the same', async () => {
  const report = reporter()
  const health = busy()
  await report(health)
  const before = await tableBytes()
  for (let i = 0; i < 200; i++) await report(health)
  assert.ok((await tableBytes()) <= before + 100_000, `${await tableBytes()} bytes after ${before}`)
})
