/** Control's `/metrics`: who may read it, and that the figures are those of what has happened. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'

import { INGEST_RECORDS_MUTATION } from '@millrace/shared'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import { send, type Answer } from '../helpers/http.ts'
import { uniqueName } from '../helpers/names.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { waitFor } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { metricOf } from './measured.ts'
import { ReportedProxy } from './reports.ts'
import { sample } from './sample.ts'
import { onEachDatabase } from './suites.ts'

const NAMES = [
  'millrace_feed_subscribers',
  'millrace_feed_dropped_total',
  'millrace_records_ingested_total',
  'millrace_records_duplicate_total',
  'millrace_records_refused_total',
  'millrace_control_config_revision',
  'millrace_control_database_connections',
  'millrace_control_exports',
  'millrace_control_ingest_seconds',
  'millrace_control_operation_seconds',
  'millrace_control_proxies_online',
  'millrace_control_ready',
  'millrace_control_sockets',
  'millrace_control_usage_backlog',
  'millrace_control_websockets',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'nodejs_eventloop_lag_seconds',
]
/** A load balancer on this machine says where requests come from. */
const ENV = { MILLRACE_TRUSTED_PROXIES: '127.0.0.1' }

function from(control: ControlProcess, address: string, key?: string): Promise<Answer> {
  const headers = { 'x-forwarded-for': address, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) }
  return send(`${control.url}/metrics`, { method: 'GET', headers })
}

async function keyOf(control: ControlProcess, role: string): Promise<{ secret: string; id: string }> {
  const { it } = await control.gql(documents.CREATE_ADMIN_KEY, { name: uniqueName('key'), role })
  return { secret: it.secret, id: it.adminKey.id }
}

await onEachDatabase((stage) => {
  test('tells this machine, in the text that Prometheus reads', async () => {
    for (const address of ['127.0.0.1', '::1', '127.8.8.8']) {
      const answer = await from(stage.control, address)
      assert.equal(answer.status, 200, address)
      assert.match(answer.headers['content-type']!, /^text\/plain; version=0\.0\.4/)
      for (const name of NAMES) assert.match(answer.text, new RegExp(`^# TYPE ${name} (gauge|counter|histogram)$`, 'm'))
    }
  })

  test('tells others that bring a key which reads', async () => {
    for (const address of ['203.0.113.7', '2001:db8::7', '127.0.0.1, 203.0.113.7']) {
      const refused = await from(stage.control, address)
      assert.deepEqual([refused.status, refused.headers['www-authenticate']], [401, 'Bearer'], address)
      assert.doesNotMatch(refused.text, /millrace_/)
    }
    for (const role of ['VIEWER', 'EDITOR', 'ADMIN'])
      assert.equal(
        (await from(stage.control, '203.0.113.7', (await keyOf(stage.control, role)).secret)).status,
        200,
        role,
      )
    assert.equal((await from(stage.control, '203.0.113.7', stage.control.proxyKey)).status, 403)
    for (const none of ['mr-no-such-key', stage.control.token, ''])
      assert.equal((await from(stage.control, '203.0.113.7', none)).status, 401)
    const { secret, id } = await keyOf(stage.control, 'VIEWER')
    assert.equal((await from(stage.control, '203.0.113.7', secret)).status, 200)
    await stage.control.gql(documents.REVOKE_ADMIN_KEY, { id })
    assert.equal((await from(stage.control, '203.0.113.7', secret)).status, 401)
  })

  test('counts records, and times their batches', async () => {
    const read = (...names: string[]) => Promise.all(names.map((name) => metricOf(stage.control, name)))
    const names = [
      'millrace_records_ingested_total',
      'millrace_records_duplicate_total',
      'millrace_records_refused_total',
      'millrace_control_ingest_seconds_count',
      'millrace_control_operation_seconds_count{kind="mutation",outcome="ok"}',
    ]
    await stage.control.gql(INGEST_RECORDS_MUTATION, { records: [sample()] }, stage.control.proxyKey)
    const before = await read(...names)
    const records = [sample(), sample(), sample()]
    const all = [...records, { ...sample(), status: 'LOST' }]
    for (let i = 0; i < 2; i++)
      await stage.control.gql(INGEST_RECORDS_MUTATION, { records: all }, stage.control.proxyKey)
    const now = await read(...names)
    assert.deepEqual(
      now.map((value, i) => value - before[i]!),
      [3, 3, 2, 2, 2],
    )
  })

  test('tells who is there, what is served, and what is refused', async () => {
    const { number } = (await stage.control.gql('{ it: configRevision { number } }')).it
    await waitFor(async () => (await metricOf(stage.control, 'millrace_control_config_revision')) === number)
    assert.equal(await metricOf(stage.control, 'millrace_control_ready'), 1)
    assert.ok((await metricOf(stage.control, 'millrace_control_usage_backlog')) >= 0)

    await using proxy = new ReportedProxy(stage.control)
    await proxy.report({})
    assert.equal(await metricOf(stage.control, 'millrace_control_proxies_online'), 1)

    for (const feed of ['requestFeed { id }', 'auditFeed { id }', 'configRevisions { number }']) {
      await using events = stage.control.subscribe(`subscription { ${feed} }`)
      const first = events.next()
      first.catch(() => undefined)
      // That of the one before may still be there.
      const counted = () =>
        Promise.all(
          ['millrace_feed_subscribers', 'millrace_control_websockets'].map((name) => metricOf(stage.control, name)),
        )
      await waitFor(async () => (await counted()).join() === '1,1', { what: feed })
      assert.ok((await metricOf(stage.control, 'millrace_control_sockets')) >= 2)
    }
    await waitFor(async () => (await metricOf(stage.control, 'millrace_feed_subscribers')) === 0)

    await assert.rejects(stage.control.gql('{ viewer { id } }', {}, 'mr-no-such-key'))
    const refused = 'millrace_control_operation_seconds_count{kind="query",outcome="UNAUTHENTICATED"}'
    assert.ok((await metricOf(stage.control, refused)) >= 1)
    await assert.rejects(stage.control.gql('{ nothing }'))
    const { text } = await from(stage.control, '127.0.0.1')
    assert.match(text, /operation_seconds_count\{kind="unknown",outcome="GRAPHQL_VALIDATION_FAILED"\} /)
    const idle = /database_connections\{state="idle"\} (\d+)/.exec(text)?.[1]
    assert.equal(idle === undefined, stage.kind === 'PGlite')
  })
}, ENV)

describe('with the database away', async () => {
  const server = await startPostgres()
  after(async () => {
    if (!('skip' in server)) await server[Symbol.asyncDispose]()
  })
  const own = 'skip' in server ? null : server.process
  const skip = 'skip' in server ? server.skip : own ? false : "the server isn't ours to stop"
  test('this machine, and a key that was good, still read', { skip }, async () => {
    if ('skip' in server) return
    await using database = await server.createDatabase()
    await using control = await startControl({ databaseUrl: database.url, env: ENV })
    assert.equal((await from(control, '203.0.113.7', control.adminKey)).status, 200)
    await own!.stop()
    for (const answer of [await from(control, '127.0.0.1'), await from(control, '203.0.113.7', control.adminKey)]) {
      assert.equal(answer.status, 200)
      assert.match(answer.text, /^millrace_control_ready 0$/m)
      assert.match(answer.text, /^millrace_control_proxies_online Nan$/im)
    }
    const unknown = await from(control, '203.0.113.7', 'mr-another-key')
    assert.deepEqual([unknown.status, unknown.headers['retry-after']], [503, '1'])
  })
})
