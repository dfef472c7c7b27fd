/** `/healthz` and `/readyz`: what they tell, that it is true, and that it is told in time. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { Relay } from './relay.ts'
import { ReportedProxy } from './reports.ts'
import { onEachDatabase } from './suites.ts'

/** It is asked for two seconds; of a busy machine, ten times that. */
const IN_TIME_MS = 20_000

async function readyz({ url }: ControlProcess): Promise<any> {
  const response = await within(IN_TIME_MS, '/readyz', fetch(`${url}/readyz`))
  const text = await response.text()
  assert.doesNotMatch(text, /127\.0\.0\.1|localhost|postgres:|redis:|ECONN/, 'no addresses, no errors')
  const state = JSON.parse(text)
  assert.equal(response.status, state.ready ? 200 : 503)
  return state
}

await onEachDatabase(
  (stage) => {
    test('tells what control stands on', async () => {
      const { database, ...state } = await readyz(stage.control)
      const { number } = (await stage.control.gql('{ it: configRevision { number } }')).it
      assert.deepEqual(state, { ready: true, problem: null, revision: number, redis: 'configured', proxiesOnline: 0 })
      const { latencyMs, ...rest } = database
      assert.deepEqual(rest, { up: true, kind: stage.kind === 'PGlite' ? 'embedded' : 'server', migrated: true })
      assert.ok(latencyMs > 0)
    })

    test('counts the proxies that report', async () => {
      await using proxy = new ReportedProxy(stage.control)
      await proxy.report({})
      assert.equal((await readyz(stage.control)).proxiesOnline, 1)
    })

    test('is alive', async () => {
      const response = await fetch(`${stage.control.url}/healthz`)
      assert.deepEqual([response.status, await response.json()], [200, { status: 'ok' }])
    })
  },
  { MILLRACE_REDIS_URL: 'redis://127.0.0.1:1' },
)

const server = await startPostgres()
const skip = 'skip' in server ? server.skip : false
after(async () => {
  if (!('skip' in server)) await server[Symbol.asyncDispose]()
})
const createDatabase = () => ('skip' in server ? assert.fail() : server.createDatabase())
const own = 'skip' in server ? null : server.process
const AWAY = { up: false, kind: 'server', latencyMs: null, migrated: null }

test(
  'a server that stops and comes back',
  { skip: skip || (own ? false : "the server isn't ours to stop") },
  async () => {
    await using database = await createDatabase()
    await using control = await startControl({ databaseUrl: database.url })
    const { revision } = await readyz(control)
    await own!.stop()
    assert.deepEqual(await readyz(control), {
      ready: false,
      problem: 'the database does not answer',
      revision,
      database: AWAY,
      redis: 'none',
      proxiesOnline: null,
    })
    assert.equal((await fetch(`${control.url}/healthz`)).status, 200)
    await own!.start()
    assert.equal(
      (
        await waitFor(async () => {
          const state = await readyz(control)
          return state.ready && state
        })
      ).revision,
      revision,
    )
  },
)

test('a server that goes silent, whoever asks and however often', { skip }, async () => {
  await using database = await createDatabase()
  const { relay, url } = await Relay.start(database.url)
  await using _relay = relay
  await using control = await startControl({ databaseUrl: url })
  relay.swallowing = true
  relay.silence()
  const states = await Promise.all(Array.from({ length: 50 }, () => readyz(control)))
  for (const { database: state } of states) assert.deepEqual(state, AWAY)
  relay.swallowing = false
  await waitFor(async () => (await readyz(control)).ready, { timeoutMs: 30_000, what: 'new connections' })
})

test('a database of before the last migration', { skip }, async () => {
  await using database = await createDatabase()
  await using control = await startControl({ databaseUrl: database.url })
  await database.query('create table kept as select * from mikro_orm_migrations')
  await database.query('delete from mikro_orm_migrations where id = (select max(id) from mikro_orm_migrations)')
  const { ready, problem, database: state } = await readyz(control)
  assert.deepEqual(
    [ready, problem, state.up, state.migrated],
    [false, 'the database has the tables of an older version', true, false],
  )
  await database.query('insert into mikro_orm_migrations select * from kept on conflict do nothing')
  assert.equal((await readyz(control)).ready, true)
  // A newer version's is no reason not to serve: control processes are replaced one by one.
  await database.query("insert into mikro_orm_migrations (name) values ('9999-to-come')")
  assert.equal((await readyz(control)).ready, true)
})
