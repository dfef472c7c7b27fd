/** `npm run rebuild-usage`: what was spoilt is right again, and nothing that comes meanwhile is lost or counted twice. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { INGEST_RECORDS_MUTATION, type RequestRecord } from '@millrace/shared'
import * as fc from 'fast-check'

import type { UsageQuery } from '../../packages/control/dist/usage/usage.type.js'
import { runCommand } from '../helpers/command.ts'
import { startControl, type ControlProcess } from '../helpers/control.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { anyRecord, scan } from './usage-scan.ts'

const DAY_MS = 86_400_000
const USAGE = `query ($query: UsageQuery!) {
  it: usage(query: $query) {
    start dimensions requests errors cancelled cacheHits coalesced inputTokens outputTokens cachedInputTokens reasoningTokens costUsd
  }
}`

const server = await startPostgres()
const skip = 'skip' in server && server.skip

async function store(control: ControlProcess, records: readonly RequestRecord[]): Promise<void> {
  await control.gql(INGEST_RECORDS_MUTATION, { records }, control.proxyKey)
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

/** Of three days, so that there is not much to be made anew. */
function lately(count: number): RequestRecord[] {
  const today = Math.floor(Date.now() / DAY_MS)
  return fc.sample(anyRecord, count).map((record) => {
    const at = (today - 2) * DAY_MS + (Date.parse(record.startedAt) % (2 * DAY_MS))
    return { ...record, startedAt: new Date(at).toISOString() }
  })
}

/** From sums of each kind the same as a scan of the records. */
async function assertRight(control: ControlProcess, records: readonly RequestRecord[]): Promise<void> {
  const [from, to] = [new Date((Math.floor(Date.now() / DAY_MS) - 2) * DAY_MS), new Date(Date.now() + DAY_MS)]
  for (const query of [
    { from, to, interval: 'DAY', groupBy: ['TOKEN', 'ENDPOINT'] },
    { from, to, interval: 'HOUR', groupBy: ['TOKEN', 'STATUS'] },
    { from, to, interval: 'DAY', groupBy: ['PROJECT', 'PROVIDER_MODEL'] },
    { from, to, interval: 'TOTAL', groupBy: ['PROVIDER', 'MODEL'] },
    { from, to: new Date(+from + DAY_MS), interval: 'MINUTE', groupBy: ['STATUS'] },
  ] satisfies UsageQuery[]) {
    const { it } = await control.gql<any>(USAGE, { query })
    const expected = scan(records, query).map(({ bucket }) => ({ ...bucket, start: bucket.start.toISOString() }))
    assert.deepEqual(
      it.map((one: object) => ({ ...one })).sort(byText),
      expected
        .map((one) => Object.fromEntries(Object.keys(it[0]).map((name) => [name, one[name as 'start']])))
        .sort(byText),
      JSON.stringify(query),
    )
  }
}

test('beside a control plane that stores records', { skip }, async () => {
  if ('skip' in server) return
  await using database = await server.createDatabase()
  await using control = await startControl({ databaseUrl: database.url })
  const records = lately(150)
  await store(control, records)
  const env = { MILLRACE_DATABASE_URL: database.url, MILLRACE_DATA_DIR: control.dataDir }
  // So that there are sums to be spoilt.
  assert.equal((await runCommand('rebuild-usage', env)).code, 0)
  const [series] = await database.query('select id from usage_series where grain = 3 limit 1')
  const zeros = `0, 0, 0, 0, 0, 0, 0, 0, '', ''`
  for (const sql of [
    'update usage_day set requests = requests + 1, cost_usd = cost_usd * 2 where random() < 0.5',
    'delete from usage_hour where random() < 0.3',
    'delete from usage_minute where random() < 0.3',
    `update usage_hour set latency = '\\x000000'`,
    `insert into usage_day values (3, '${series!['id']}', date_trunc('day', now() - interval '300 days', 'UTC'), 5, ${zeros.slice(3)})`,
  ])
    await database.query(sql)

  const over = new AbortController()
  const meanwhile = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const batch = lately(5)
      await store(control, batch)
      records.push(...batch)
    }
  }
  const storing = meanwhile()
  const { code, stdout, stderr } = await runCommand('rebuild-usage', env)
  over.abort()
  await storing
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /^\d{4}-\d\d-\d\d: \d+ requests?\n[\s\S]*The usage of \d+ days was summed up anew\.\n$/)
  await assertRight(control, records)
  const kept = await database.query(`select requests::integer from usage_day where start < now() - interval '200 days'`)
  assert.deepEqual(kept, [{ requests: 5 }], 'of what there are no records any more')
})

test('on the embedded database, while control is stopped', async () => {
  await using control = await startControl()
  const records = lately(12)
  await store(control, records)
  const env = { MILLRACE_DATA_DIR: control.dataDir }
  const beside = await runCommand('rebuild-usage', env)
  assert.equal(beside.code, 1)
  assert.match(beside.stderr, /^millrace: MILLRACE_DATA_DIR: another control plane runs on .*: stop it.*\n$/)
  await control.stop()
  assert.equal((await runCommand('rebuild-usage', env)).code, 0)
  await control.restart()
  await assertRight(control, records)
})

test('says what it cannot do, and how it is used', async () => {
  await using folder = await temporaryFolder()
  const refused = await runCommand('rebuild-usage', { MILLRACE_DATA_DIR: folder.path })
  assert.deepEqual([refused.code, refused.stdout], [1, ''])
  assert.match(refused.stderr, /^millrace: MILLRACE_DATA_DIR: there is no database in .*\n$/)
  const help = await runCommand('rebuild-usage', {}, ['--help'])
  assert.equal(help.code, 0)
  assert.match(help.stdout, /npm run rebuild-usage[\s\S]*Exit codes/)
})
