/** The database goes, comes back, or can't be used at all. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'

import { SNAPSHOTS_SUBSCRIPTION } from '@millrace/shared'

import { startControl } from '../helpers/control.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { StartError } from '../helpers/process.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { waitFor } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { Follower } from './snapshots.ts'

const server = await startPostgres()
const skip = 'skip' in server ? server.skip : false
after(async () => {
  if (!('skip' in server)) await server[Symbol.asyncDispose]()
})
const createDatabase = () => ('skip' in server ? assert.fail() : server.createDatabase())
const CREATE = (name: string) => ({ input: { name } })

/** Ends at the start with one line on stderr. */
async function refusedStart(env: Record<string, string>, line: RegExp): Promise<void> {
  await assert.rejects(
    async () => {
      await using control = await startControl({ env })
      assert.fail(`started: ${control.url}`)
    },
    (thrown: unknown) => {
      assert.ok(thrown instanceof StartError, String(thrown))
      assert.deepEqual([thrown.exit, thrown.stdout], [{ code: 1, signal: null }, ''])
      assert.match(thrown.stderr, line)
      assert.equal(thrown.stderr.trimEnd().split('\n').length, 1, thrown.stderr)
      assert.doesNotMatch(thrown.stderr, /hunter2/)
      return true
    },
  )
}

test(
  'two control planes on one empty database make one first configuration, and hear of each other',
  { skip },
  async () => {
    await using database = await createDatabase()
    const env = { MILLRACE_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') }
    const options = { databaseUrl: database.url, env }
    await using stack = new AsyncDisposableStack()
    const both = (await Promise.all([startControl(options), startControl(options)])).map((one) => stack.use(one))
    const first = both.find(({ firstStart }) => firstStart)!
    const other = both.find((one) => one !== first)!
    assert.equal(other.firstStart, null)
    await using follower = new Follower(other, null, first.proxyKey)
    assert.equal((await follower.next()).revision, 1)
    await first.gql(documents.CREATE_PROJECT, CREATE('heard of'))
    assert.equal((await follower.next()).revision, 2)

    await using moved = new Follower(first, follower)
    let told = await moved.next()
    assert.equal(moved.told.whole, true, "one doesn't know the other's revisions")
    // It may have heard of the change after the other.
    while (told.revision < 2) told = await moved.next()
    assert.deepEqual(told, follower.snapshot)
    await other.gql(documents.CREATE_PROJECT, CREATE('heard of, too'), first.adminKey)
    assert.deepEqual([(await moved.next()).revision, moved.told.whole], [3, false])
    assert.deepEqual(await follower.next(), moved.snapshot)
  },
)

test('another master key than the one that the database knows is refused', { skip }, async () => {
  await using database = await createDatabase()
  const first = await startControl({ databaseUrl: database.url })
  await first[Symbol.asyncDispose]()
  await refusedStart({ MILLRACE_DATABASE_URL: database.url }, /^millrace: MILLRACE_MASTER_KEY: .*another master key/)
})

const ownServer = 'skip' in server ? null : server.process
test(
  'while the database is away, what is known is served; then it goes on by itself',
  {
    skip: skip || (ownServer ? false : "the server isn't ours to stop"),
  },
  async () => {
    await using database = await createDatabase()
    await using control = await startControl({ databaseUrl: database.url })
    const ready = async (): Promise<[number, string | null]> => {
      const response = await fetch(`${control.url}/readyz`)
      return [response.status, ((await response.json()) as { problem: string | null }).problem]
    }
    assert.deepEqual(await ready(), [200, null])
    await using events = control.subscribe(SNAPSHOTS_SUBSCRIPTION, {}, control.proxyKey)
    await events.next()

    await ownServer!.stop()
    assert.deepEqual(await ready(), [503, 'the database does not answer'])
    assert.equal((await fetch(`${control.url}/healthz`)).status, 200)
    const since = performance.now()
    await assert.rejects(control.gql(documents.CREATE_PROJECT, CREATE('lost')), (error: any) => {
      assert.deepEqual(
        [error.code, error.errors[0].message],
        ['INTERNAL_SERVER_ERROR', 'the database does not answer, try again'],
      )
      assert.ok(error.errors[0].extensions.requestId)
      return true
    })
    assert.ok(performance.now() - since < 10_000, 'it does not hang')
    await using refused = control.subscribe(SNAPSHOTS_SUBSCRIPTION, {}, control.proxyKey)
    await assert.rejects(refused.next(), { code: 1013 }, 'a code at which clients try again')

    await ownServer!.start()
    await waitFor(async () => (await ready())[0] === 200)
    await control.gql(documents.CREATE_PROJECT, CREATE('kept'))
    assert.equal((await events.next()).value.snapshots.revision, 2, 'the subscription from before hears of it')
  },
)

describe('a database that cannot be used ends the start', () => {
  test('nobody answers', () =>
    refusedStart(
      { MILLRACE_DATABASE_URL: 'postgres://me:hunter2@127.0.0.1:1/db' },
      /^millrace: MILLRACE_DATABASE_URL: nothing answers at 127\.0\.0\.1:1$/m,
    ))

  test('there is no such database', { skip }, () => {
    const url = new URL(
      'skip' in server ? 'postgres://x' : (ownServer?.url ?? process.env['MILLRACE_TEST_DATABASE_URL']!),
    )
    url.pathname = '/nobody_made_this'
    return refusedStart(
      { MILLRACE_DATABASE_URL: url.href },
      /^millrace: MILLRACE_DATABASE_URL: .*has no database nobody_made_this/,
    )
  })

  test('another control plane has the data folder', async () => {
    await using control = await startControl()
    await refusedStart(
      { MILLRACE_DATA_DIR: control.dataDir },
      /^millrace: MILLRACE_DATA_DIR: another control plane runs on/,
    )
    await refusedStart(
      { MILLRACE_CONTROL_PORT: new URL(control.url).port },
      /^millrace: MILLRACE_CONTROL_PORT: port \d+ of 127\.0\.0\.1 is in use/,
    )
  })

  test('the embedded one is broken', async () => {
    await using folder = await temporaryFolder()
    await mkdir(join(folder.path, 'pglite'))
    await writeFile(join(folder.path, 'pglite', 'PG_VERSION'), '18\n')
    await refusedStart(
      { MILLRACE_DATA_DIR: folder.path },
      /^millrace: MILLRACE_DATA_DIR: the embedded database in .* cannot be opened/,
    )
  })

  test('the master key is none', async () => {
    await refusedStart({ MILLRACE_MASTER_KEY: 'hunter2' }, /^millrace: MILLRACE_MASTER_KEY: must be 32 bytes in base64/)
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'master.key'), 'hunter2')
    await refusedStart(
      { MILLRACE_DATA_DIR: folder.path },
      /^millrace: MILLRACE_MASTER_KEY: is not set, and .*master\.key cannot be used/,
    )
  })
})
