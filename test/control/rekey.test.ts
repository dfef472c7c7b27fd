/** The master key is changed: nothing is lost on the way, wherever it ends, and everybody is told what to do. */
import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { after, test } from 'node:test'

import { credentialContext, newId, newMasterKey, open, parseMasterKey } from '@millrace/shared'
import pg from 'pg'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import { startPostgres, WAITING } from '../helpers/postgres.ts'
import { StartError } from '../helpers/process.ts'
import { rekey } from '../helpers/rekey.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { waitFor } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { newestSnapshot } from './snapshots.ts'

/** More than three transactions of the command hold. */
const KEYS = 180
/** In its second transaction, the command waits for whoever holds this. */
const HALF_WAY = 1
const HOLD = `
  create sequence resealed;
  create function hold() returns trigger language plpgsql as $$ begin
    if nextval('resealed') > 60 then perform pg_advisory_xact_lock(${HALF_WAY}); end if;
    return new;
  end $$;
  create trigger hold before update on provider_credential for each row execute function hold()`

const server = await startPostgres()
const skip = 'skip' in server ? server.skip : false
after(async () => {
  if (!('skip' in server)) await server[Symbol.asyncDispose]()
})

const apiKeys = Array.from({ length: KEYS }, (_, i) => `sk-upstream-${i}-${newId()}`)
const [old, next] = [newMasterKey(), newMasterKey()]
const ONLY_OLD = { MILLRACE_MASTER_KEY: old }
const BOTH = { MILLRACE_MASTER_KEY: next, MILLRACE_MASTER_KEY_PREVIOUS: old }
const ONLY_NEXT = { MILLRACE_MASTER_KEY: next, MILLRACE_MASTER_KEY_PREVIOUS: '' }

async function addKeys(control: ControlProcess): Promise<void> {
  const half = KEYS / 2
  for (const [name, keys] of Object.entries({ upstream: apiKeys.slice(0, half), another: apiKeys.slice(half) })) {
    const input = { name, kind: 'OPENAI', apiKeys: [...keys, 'env:OPENAI_API_KEY'] }
    await control.gql(documents.CREATE_PROVIDER, { input })
  }
}

/** What of all keys opens under one master key alone, as a proxy does it. */
async function opened(control: ControlProcess, masterKey: string): Promise<string[]> {
  const { providers } = await newestSnapshot(control)
  const keys = [parseMasterKey(masterKey)]
  return providers.flatMap(({ id: providerId, credentials }) =>
    credentials.flatMap(({ id, secret }) => {
      if (!('sealed' in secret)) return []
      try {
        return open(secret.sealed, keys, credentialContext(providerId, id))
      } catch {
        return []
      }
    }),
  )
}

/** @returns the one line that it ends with */
async function refusedStart(starting: () => Promise<unknown>): Promise<string> {
  const error = await starting().then(
    () => assert.fail('started'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof StartError, String(error))
  assert.equal(error.exit?.code, 1)
  assert.equal(error.stderr.trimEnd().split('\n').length, 1, error.stderr)
  return error.stderr
}

test('beside control planes that run, killed half-way, and run again', { skip }, async () => {
  if ('skip' in server) return
  await using database = await server.createDatabase()
  const databaseUrl = database.url
  await using control = await startControl({ databaseUrl, env: ONLY_OLD })
  await addKeys(control)
  assert.equal((await opened(control, old)).length, KEYS)
  await using stale = await startControl({ databaseUrl, env: ONLY_OLD })

  const unprepared = await refusedStart(() => startControl({ databaseUrl, env: ONLY_NEXT }))
  assert.match(unprepared, /MILLRACE_MASTER_KEY: .*another master key.*MILLRACE_MASTER_KEY_PREVIOUS.*npm run rekey/)

  await control.restart(BOTH)
  assert.equal((await opened(control, old)).length, KEYS, 'nothing is re-encrypted by a start')
  const { it: upstream } = await control.gql<any>(documents.PROVIDERS)
  const provider = upstream.find(({ name }: any) => name === 'upstream').id
  const input = { apiKey: 'sk-upstream-added-meanwhile' }
  await control.gql(documents.ADD_CREDENTIAL, { provider, input })
  assert.deepEqual(await opened(control, next), ['sk-upstream-added-meanwhile'])
  await assert.rejects(stale.gql(documents.ADD_CREDENTIAL, { provider, input: { apiKey: 'sk-x' } }, control.adminKey), {
    code: 'CONFLICT',
    message: /master key was changed/,
  })

  const env = { MILLRACE_DATABASE_URL: databaseUrl, ...BOTH }
  const lock = new pg.Client({ connectionString: databaseUrl })
  await lock.connect()
  await lock.query(HOLD)
  await lock.query('select pg_advisory_lock($1)', [HALF_WAY])
  let command: ChildProcess | null = null
  const killing = rekey(env, [], (_line, child) => (command = child))
  const running = await waitFor(
    async () => (await lock.query(WAITING)).rows.some(({ objid }) => objid === HALF_WAY) && command,
  )
  running.kill('SIGKILL')
  const killed = await killing
  await lock.end()
  assert.equal(killed.code, null)
  const done = (await opened(control, next)).length - 1
  assert.ok(done > 0 && done < KEYS, `${done} of ${KEYS}`)
  assert.equal((await opened(control, old)).length, KEYS - done, 'each opens under one of both')
  const unfinished = await refusedStart(() => startControl({ databaseUrl, env: ONLY_NEXT }))
  assert.match(unfinished, /MILLRACE_MASTER_KEY_PREVIOUS: \d+ of .* still sealed under.*npm run rekey/)
  assert.match(await refusedStart(() => startControl({ databaseUrl, env: ONLY_OLD })), /set the new one/)

  const finished = await rekey(env)
  assert.deepEqual([finished.code, finished.stderr], [0, ''])
  assert.match(finished.stdout, new RegExp(`re-encrypted ${KEYS - done} of ${KEYS - done}\n.*not needed any more`))
  const all = [...apiKeys, 'sk-upstream-added-meanwhile'].sort()
  assert.deepEqual((await opened(control, next)).sort(), all)
  assert.deepEqual(await rekey(env).then(({ code }) => code), 0, 'there is nothing left to do')
  await control.restart(ONLY_NEXT)
  assert.deepEqual((await opened(control, next)).sort(), all)

  const { it: audit } = await control.gql<any>(documents.AUDIT)
  const events = audit.edges.map(({ node }: any) => node).filter(({ action }: any) => action === 'rekey')
  assert.ok(events.length >= 4)
  for (const { actor, result } of events) assert.deepEqual([actor, result], ['millrace', 'SUCCESS'])
  const [{ changes }] = events.map(({ details }: any) => details)
  assert.deepEqual(
    [changes[0].kind, changes[0].path, changes[0].before, changes[0].after],
    ['credential', 'masterKey', parseMasterKey(old).id, parseMasterKey(next).id],
  )
  const text = JSON.stringify([events, finished])
  for (const secret of [...apiKeys, old, next]) assert.ok(!text.includes(secret))
})

test('what opens under neither key is named and left, and the rest is done', { skip }, async () => {
  if ('skip' in server) return
  await using database = await server.createDatabase()
  const databaseUrl = database.url
  await using control = await startControl({ databaseUrl, env: ONLY_OLD })
  await addKeys(control)
  await database.query(
    "update provider_credential set sealed = left(sealed, 20) || 'AAAA' || substr(sealed, 25) where id = (select max(id::text)::uuid from provider_credential where sealed is not null)",
  )
  const { code, stdout, stderr } = await rekey({ MILLRACE_DATABASE_URL: databaseUrl, ...BOTH })
  assert.equal(code, 2)
  assert.match(stdout, new RegExp(`re-encrypted ${KEYS - 1} of ${KEYS}\n$`))
  assert.match(stderr, /^millrace: left as it is: another sha256:[0-9a-f]{16}: the sealed secret was changed.*\n$/)
  await control.restart(BOTH)
  assert.equal((await opened(control, next)).length, KEYS - 1)
})

test('on the embedded database, while control is stopped', async () => {
  await using folder = await temporaryFolder()
  const dataDir = folder.path
  await using control = await startControl({ dataDir, env: ONLY_OLD })
  await addKeys(control)
  const env = { MILLRACE_DATA_DIR: dataDir, ...BOTH }
  const beside = await rekey(env)
  assert.equal(beside.code, 1)
  assert.match(beside.stderr, /^millrace: MILLRACE_DATA_DIR: another control plane runs on .*: stop it.*\n$/)
  await control.stop()
  assert.equal((await rekey(env)).code, 0)
  await control.restart(ONLY_NEXT)
  assert.equal((await opened(control, next)).length, KEYS)
})

test('says what it cannot do, in one line', async () => {
  await using folder = await temporaryFolder()
  const env = { MILLRACE_DATA_DIR: folder.path, ...BOTH }
  for (const [given, line] of [
    [env, /MILLRACE_DATA_DIR: there is no database/],
    [{ ...env, MILLRACE_MASTER_KEY_PREVIOUS: 'hunter2' }, /MILLRACE_MASTER_KEY_PREVIOUS: must be 32 bytes/],
    [{ ...env, MILLRACE_MASTER_KEY: 'hunter2' }, /MILLRACE_MASTER_KEY: must be 32 bytes/],
    [{ ...env, MILLRACE_DATABASE_URL: 'postgres://127.0.0.1:1/x' }, /MILLRACE_DATABASE_URL: nothing answers/],
  ] as const) {
    const { code, stdout, stderr } = await rekey(given)
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, line)
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
    assert.doesNotMatch(stderr, /hunter2/)
  }
  const help = await rekey({}, ['--help'])
  assert.equal(help.code, 0)
  assert.match(help.stdout, /npm run rekey[\s\S]*Exit codes/)
})
