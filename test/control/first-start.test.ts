/** What a start finds: nothing, or what another one has left. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { ADMIN_KEY_PREFIX, newSecret } from '@millrace/shared'
import pg from 'pg'

import { startControl } from '../helpers/control.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { cleanEnvironment, endWithThisProcess } from '../helpers/process.ts'
import { temporaryFolder } from '../helpers/temporary.ts'
import { waitFor } from '../helpers/wait.ts'
import * as documents from './documents.ts'

const MAIN = fileURLToPath(new URL('../../packages/control/dist/main.js', import.meta.url))
const server = await startPostgres()
const skip = 'skip' in server ? server.skip : false
after(async () => {
  if (!('skip' in server)) await server[Symbol.asyncDispose]()
})
const createDatabase = () => ('skip' in server ? assert.fail() : server.createDatabase())

test('without a launcher, a first start says each secret once, and where it is reached', async () => {
  await using folder = await temporaryFolder()
  const env = cleanEnvironment({ MILLRACE_DATA_DIR: folder.path, MILLRACE_CONTROL_PORT: '0' })
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  endWithThisProcess(child)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const url = await waitFor(() => /^Millrace's control plane serves at (\S+)$/m.exec(output)?.[1], {
    timeoutMs: 60_000,
  })
  const { adminKey, token, graphqlUrl } = JSON.parse(await readFile(join(folder.path, 'credentials.json'), 'utf8'))
  const proxyKey = (await readFile(join(folder.path, 'proxy.key'), 'utf8')).trim()
  assert.equal(graphqlUrl, url)
  for (const secret of [adminKey, token, proxyKey]) assert.equal(output.split(secret).length, 2, 'said once')
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('a key in the environment that may not be read makes no provider', async () => {
  const env = { OPENAI_API_KEY: 'of no use', GROQ_API_KEY: 'of no use', MILLRACE_ENV_ALLOW: 'GROQ_*' }
  await using control = await startControl({ env })
  const { it } = await control.gql(documents.PROVIDERS)
  assert.deepEqual(
    it.map(({ name }: any) => name),
    ['groq', 'simulator'],
  )
  await waitFor(() => /"variable":"OPENAI_API_KEY".*MILLRACE_ENV_ALLOW/.test(control.output().stderr))
})

test('a key in the environment makes the provider whose it is, of several the first', async () => {
  const names = ['ANTHROPIC', 'GOOGLE', 'GOOGLE_GENERATIVE_AI', 'CO', 'DASHSCOPE', 'UNHEARD_OF']
  const env = Object.fromEntries(names.map((name) => [`${name}_API_KEY`, 'of no use']))
  await using control = await startControl({ env })
  const { it } = await control.gql(
    '{ it: providers { name kind baseUrl settings direct credentials { fingerprint } } }',
  )
  assert.deepEqual(
    it.map((one: any) => [one.name, one.kind, one.baseUrl, one.settings, one.credentials[0]?.fingerprint]),
    [
      [
        'alibaba',
        'OPENAI_COMPATIBLE',
        'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
        { preset: 'alibaba' },
        'env:DASHSCOPE_API_KEY',
      ],
      ['anthropic', 'ANTHROPIC', 'https://api.anthropic.com', {}, 'env:ANTHROPIC_API_KEY'],
      ['cohere', 'OPENAI_COMPATIBLE', 'https://api.cohere.ai/compatibility/v1', { preset: 'cohere' }, 'env:CO_API_KEY'],
      ['gemini', 'GEMINI', 'https://generativelanguage.googleapis.com/v1beta', {}, 'env:GOOGLE_API_KEY'],
      ['simulator', 'SIMULATED', null, {}, undefined],
    ],
  )
})

test('keys of another database are put aside', async () => {
  await using folder = await temporaryFolder()
  for (const file of ['credentials.json', 'proxy.key']) await writeFile(join(folder.path, file), `the old ${file}`)
  await using control = await startControl({ dataDir: folder.path })
  assert.equal(JSON.parse(await readFile(join(folder.path, 'credentials.json'), 'utf8')).adminKey, control.adminKey)
  const names = await readdir(folder.path)
  for (const file of ['credentials.json', 'proxy.key']) {
    const aside = names.filter((name) => name.startsWith(`${file}.`))
    assert.equal(aside.length, 1)
    assert.equal(await readFile(join(folder.path, aside[0]!), 'utf8'), `the old ${file}`)
  }
})

test('a key that is set and that the database does not know is warned of', async () => {
  const secrets = { admin: newSecret(ADMIN_KEY_PREFIX).secret, proxy: newSecret(ADMIN_KEY_PREFIX).secret }
  await using control = await startControl({ env: { MILLRACE_ADMIN_KEY: secrets.admin } })
  await control.restart()
  assert.doesNotMatch(control.output().stderr, /opens nothing/)
  await control.restart({ MILLRACE_PROXY_KEY: secrets.proxy })
  const warning = /"level":40.*MILLRACE_PROXY_KEY opens nothing.*createAdminKey/
  await waitFor(() => warning.test(control.output().stderr), { what: 'the warning' })
  assert.doesNotMatch(control.output().stderr, /MILLRACE_ADMIN_KEY opens nothing/)
  assert.ok(!control.output().stderr.includes(secrets.proxy))
})

test('a master key that is there is read, and nothing is written beside it', { skip }, async () => {
  await using database = await createDatabase()
  await using folder = await temporaryFolder()
  {
    await using first = await startControl({ databaseUrl: database.url })
    await copyFile(join(first.dataDir, 'master.key'), join(folder.path, 'master.key'))
  }
  const long = new Date('2020-01-01T00:00:00Z')
  await utimes(folder.path, long, long)
  await using _ = await startControl({ databaseUrl: database.url, dataDir: folder.path })
  assert.equal((await stat(folder.path)).mtimeMs, long.getTime())
})

test('a signal during the start ends it in good order', { skip }, async () => {
  await using database = await createDatabase()
  await using control = await startControl({ databaseUrl: database.url })
  await control.stop()
  await using folder = await temporaryFolder()
  const env = cleanEnvironment({
    MILLRACE_DATA_DIR: folder.path,
    MILLRACE_CONTROL_PORT: '0',
    MILLRACE_DATABASE_URL: database.url,
  })
  // Another process is starting, for good.
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  await other.query('select pg_advisory_lock(7310001)')
  await using stack = new AsyncDisposableStack()
  stack.defer(() => other.end())
  const connections = async (): Promise<number> => {
    const [row] = await database.query(
      "select count(*)::int as n from pg_stat_activity where application_name = 'millrace' and datname = current_database()",
    )
    return row!['n']
  }
  // The server may see those of the process that was stopped for a moment more.
  await waitFor(async () => (await connections()) === 0)
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  endWithThisProcess(child)
  await waitFor(async () => (await connections()) > 0)
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})
