/** A database server that goes silent, is locked, slow, or set back to what it was. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { INGEST_RECORDS_MUTATION, newId } from '@millrace/shared'
import pg from 'pg'

import { startControl } from '../helpers/control.ts'
import { uniqueName } from '../helpers/gateway.ts'
import { startPostgres, WAITING } from '../helpers/postgres.ts'
import { waitFor, within } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { Relay } from './relay.ts'
import { sample } from './sample.ts'
import { Follower } from './snapshots.ts'

const server = await startPostgres()
const skip = 'skip' in server ? server.skip : false
after(async () => {
  if (!('skip' in server)) await server[Symbol.asyncDispose]()
})
const createDatabase = () => ('skip' in server ? assert.fail() : server.createDatabase())
const project = () => ({ input: { name: uniqueName('project') } })

/** A session of one's own beside control's. */
async function session(url: string): Promise<InstanceType<typeof pg.Client> & AsyncDisposable> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() })
}

test('connections that go silent are given up, and each has its successor', { skip }, async () => {
  await using database = await createDatabase()
  const { relay, url } = await Relay.start(database.url)
  await using _relay = relay
  await using control = await startControl({ databaseUrl: url })
  const read = () => Promise.all(Array.from({ length: 12 }, () => control.gql(documents.PROJECTS)))
  await read()
  await waitFor(() => relay.listens === 1)

  relay.silence()
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) =>
      i % 2 ? control.gql(documents.PROJECTS) : control.gql(documents.CREATE_PROJECT, project()),
    ),
  )
  for (const result of results)
    if (result.status === 'rejected')
      assert.match(result.reason.message, /the database does not answer|too many changes of configuration/)
  await waitFor(() => control.gql(documents.CREATE_PROJECT, project()), { timeoutMs: 60_000, what: 'a change' })
  await within(20_000, 'twelve reads at once', read())
  await waitFor(() => relay.listens >= 2, { timeoutMs: 60_000, what: 'listening anew' })
})

test('changes that wait for another process keep nobody from reading, and are told why', { skip }, async () => {
  await using database = await createDatabase()
  await using control = await startControl({ databaseUrl: database.url })
  await using other = await session(database.url)
  await other.query('select pg_advisory_lock(7310002)')
  // More than there are connections.
  const changes = Array.from({ length: 16 }, () => control.gql(documents.CREATE_PROJECT, project()))
  const settled = Promise.allSettled(changes)
  let isOver = false
  const refused = assert
    .rejects(Promise.race(changes), /another change of configuration takes too long, try again/)
    .finally(() => (isOver = true))
  await sleep(500)
  await Promise.all(Array.from({ length: 5 }, () => control.gql(documents.PROJECTS)))
  assert.equal((await fetch(`${control.url}/readyz`)).status, 200)
  assert.ok(!isOver, 'who reads did not wait with them')
  await refused
  await other.query('select pg_advisory_unlock_all()')
  assert.equal((await settled).filter(({ status }) => status === 'fulfilled').length, 15)
  const slow = /"level":40.*"requestId":"[^"]+".*"kind":"mutation".*a slow operation/
  await waitFor(() => slow.test(control.output().stderr), { what: 'a line of the log' })
})

test('a migration may take longer than a query', { skip }, async () => {
  await using database = await createDatabase()
  await using other = await session(database.url)
  await other.query('begin; create table project (id integer)')
  const starting = startControl({ databaseUrl: database.url })
  await waitFor(async () => (await database.query(WAITING)).length > 0)
  await sleep(6_500)
  await other.query('rollback')
  await using control = await starting
  assert.ok(control.firstStart)
})

test('a database that was set back is served as it is now, and so is what comes after', { skip }, async () => {
  await using database = await createDatabase()
  await using control = await startControl({ databaseUrl: database.url })
  await using follower = new Follower(control)
  const next = async (): Promise<[number, number]> => {
    const { revision, projects } = await follower.next()
    return [revision, projects.length]
  }
  assert.deepEqual(await next(), [1, 1])
  const { mark } = follower.position!
  await control.gql(documents.CREATE_PROJECT, project())
  assert.deepEqual(await next(), [2, 2])
  await database.query(
    "with a as (delete from config_revision where number = 2) delete from project where name <> 'default'",
  )
  assert.deepEqual(await next(), [1, 1])
  assert.equal(follower.told.whole, true)
  assert.notEqual(follower.position!.mark, mark)
  await waitFor(() => /"level":50.*set back to an older configuration/.test(control.output().stderr))
  await control.gql(documents.CREATE_PROJECT, project())
  assert.deepEqual(await next(), [2, 2])
})

test('an answer that cannot be made has a request id, which the log knows', { skip }, async () => {
  await using database = await createDatabase()
  await using control = await startControl({ databaseUrl: database.url })
  const record = sample()
  await control.gql(INGEST_RECORDS_MUTATION, { records: [record] }, control.proxyKey)
  await database.query("update request_record set attempts = jsonb_set(attempts, '{0,upstreamStatus}', '5000000000')")
  const document = `{ request(id: "${record.id}") { attempts { upstreamStatus } } }`
  const assertMasked = async (error: any): Promise<void> => {
    const { message, extensions } = error.errors[0]
    assert.deepEqual([message, extensions.code], ['internal error', 'INTERNAL_SERVER_ERROR'])
    assert.ok(extensions.requestId)
    const logged = await waitFor(() =>
      control
        .output()
        .stderr.split('\n')
        .find((line) => line.includes(extensions.requestId)),
    )
    assert.match(logged, /5000000000/)
  }
  await assertMasked(await control.gql(document).catch((error: unknown) => error))
  await using events = control.subscribe(document)
  await assertMasked(await events.next().catch((error: unknown) => error))
})

test('what is stored of a batch is told, though the rest of it fails', { skip }, async () => {
  await using database = await createDatabase()
  await using control = await startControl({ databaseUrl: database.url })
  // A value that the database refuses makes it try the halves; on the second the server says that it shuts down.
  await database.query(`create function fail() returns trigger language plpgsql as $$ begin
      if new.model = 'refused' then raise sqlstate '22003'; end if;
      if new.model = 'lost' then raise sqlstate '57P01'; end if;
      return new;
    end $$`)
  await database.query('create trigger fail before insert on request_record for each row execute function fail()')
  await using events = control.subscribe('subscription { requestFeed { record { id } } }')
  const first = events.next()
  await events.connected
  const good = sample()
  // In the order of their ids, in which they are stored: else the server goes before the halves are tried.
  const [early, late] = [newId(), newId()].sort() as [string, string]
  const records = [good, sample({ id: early, model: 'refused' }), sample({ id: late, model: 'lost' }), sample()]
  // Sent again until the subscription is known to be heard: each time with another record.
  await waitFor(async () => {
    good.id = newId()
    await assert.rejects(control.gql(INGEST_RECORDS_MUTATION, { records }, control.proxyKey), /does not answer/)
    return within(200, 'the event', first)
  })
  assert.ok((await first).value['requestFeed'].record.id)
})
