/** No secret that the system was given stands in anything that it wrote: every kind of secret, in every spelling. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'

import { fingerprint } from '@millrace/shared'
import pg from 'pg'

import { startControl, type ControlProcess } from './helpers/control.ts'
import { databases, type DatabaseKind } from './helpers/postgres.ts'
import { startProxy, type ProxyProcess } from './helpers/proxy.ts'
import { RedisServer, redisUnusable } from './helpers/redis.ts'
import { rekey } from './helpers/rekey.ts'
import { temporaryFolder } from './helpers/temporary.ts'
import { startUpstream } from './helpers/upstream.ts'
import { stall } from './helpers/upstream/failures.ts'
import { dumpDatabase, dumpEmbedded, dumpFolder, dumpRedis } from './secrets/dump.ts'
import { ECHOES } from './secrets/echoes.ts'
import { formsOf, Places } from './secrets/forms.ts'
import { newSecrets, Scenario, type Secrets } from './secrets/scenario.ts'

/** Of a process's output so much is kept; of more the beginning would be lost. */
const MOST_OUTPUT = 262_144

const found = await databases()
after(() => found.close())
const noRedis = await redisUnusable()

describe('a secret is found', () => {
  const secret = 'sk-up-0123456789abcdef0123456789abcdef+/=%~&"'
  for (const [spelling, text] of [
    ['plain', `Bearer ${secret}`],
    ['cut', secret.slice(6)],
    ['in a URL', `?key=${encodeURIComponent(secret)}&x`],
    ['in JSON', JSON.stringify({ secret })],
    ...[0, 1, 2].map((offset) => [
      `in base64 after ${offset} bytes`,
      Buffer.from(`${'x'.repeat(offset)}${secret} and more`).toString('base64'),
    ]),
    ['in base64url', Buffer.from(secret).toString('base64url')],
    ['in hex', Buffer.from(secret).toString('hex')],
  ] as [string, string][]) {
    test(spelling, () =>
      assert.ok(
        formsOf(secret).some((form) => text.includes(form)),
        text,
      ),
    )
  }
})

for (const kind of found.kinds) {
  test(`of all that was written beside ${kind.name}, nothing holds a secret`, { skip: kind.skip }, () => run(kind))
}

async function run(kind: DatabaseKind): Promise<void> {
  const given = newSecrets()
  const places = new Places()
  await using stack = new AsyncDisposableStack()
  const database = stack.use(await kind.create())
  const databaseUrl = database.databaseUrl && withPassword(database.databaseUrl, given)
  const redis = noRedis ? null : stack.use(await RedisServer.start({ password: given.redisPassword }))
  const upstream = stack.use(await startUpstream())
  for (const [model, behaviour] of Object.entries(ECHOES)) upstream.on(model, behaviour)
  upstream.on('slow', stall('before-headers'))
  const folders = { control: stack.use(await temporaryFolder()).path, proxy: stack.use(await temporaryFolder()).path }

  const logged = { MILLRACE_LOG_LEVEL: 'debug', ...(redis ? { MILLRACE_REDIS_URL: redis.url } : {}) }
  const keys = { MILLRACE_MASTER_KEY: given.masterKey }
  const control = stack.use(
    await startControl({
      dataDir: folders.control,
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
      env: { ...logged, ...keys, MILLRACE_ADMIN_KEY: given.adminKey, MILLRACE_PROXY_KEY: given.proxyKey },
    }),
  )
  given.keep('the first token', control.token)
  const proxy = stack.use(
    await startProxy({
      controlUrl: control.url,
      proxyKey: given.proxyKey,
      dataDir: folders.proxy,
      env: { ...logged, ...keys, SECRETS_TEST_API_KEY: given.fromEnv },
    }),
  )
  const scenario = new Scenario(control, proxy, given, places)
  await scenario.configure(upstream.baseUrl)
  await scenario.untilServing()
  await scenario.serve()
  await scenario.untilRecorded()
  await rotateMasterKey(scenario, folders.control, databaseUrl)
  await kill(scenario)
  await scenario.untilServing()
  await scenario.untilRecorded()
  await scenario.read()
  if (redis) await dumpRedis(redis.url, places)
  await proxy.stop()
  await control.stop()
  keepOutput(control, proxy, places)
  for (const folder of Object.values(folders))
    for (const [name, mode] of await dumpFolder(folder, places)) assert.equal(mode, 0o600, name)
  if (databaseUrl === undefined) await dumpEmbedded(folders.control, places)
  else await dumpServer(databaseUrl, places)

  for (const key of ['literal', 'fromEnv', 'ofProject', 'ofClient'] as const)
    for (const model of Object.keys(ECHOES))
      assert.ok(
        upstream.requests.some((one) => one.model === model && one.headers['authorization'] === `Bearer ${given[key]}`),
        `${model} was asked with ${key}`,
      )
  // What is looked through is what is meant: there is enough of it, and it is not too much to have been kept.
  for (const place of [
    'log of control',
    'log of the proxy',
    'table public.request_record',
    'file',
    'GraphQL',
    'answer',
  ])
    assert.ok(places.size(place) > 1_000, place)
  for (const place of ['table', 'GraphQL', 'file'])
    assert.ok(
      places.of(place).some((text) => text.includes(fingerprint(given.literal))),
      place,
    )
  for (const table of ['request_record', 'debug_exchange'])
    assert.ok(places.of(`table public.${table}`).length > Object.keys(ECHOES).length * 8, table)
  if (redis) assert.ok(places.size('redis') > 0)
  assert.deepEqual(places.findings(given.secrets), [])
}

/** All processes go from one master key to the next, as the README says. */
async function rotateMasterKey({ control, proxy, given, places }: Scenario, dataDir: string, databaseUrl?: string) {
  const both = { MILLRACE_MASTER_KEY: given.nextMasterKey, MILLRACE_MASTER_KEY_PREVIOUS: given.masterKey }
  const next = { MILLRACE_MASTER_KEY: given.nextMasterKey, MILLRACE_MASTER_KEY_PREVIOUS: '' }
  await control.stop()
  keepOutput(control, proxy, places)
  await proxy.restart(both)
  const { code, stdout, stderr } = await rekey({
    MILLRACE_DATA_DIR: dataDir,
    MILLRACE_LOG_LEVEL: 'debug',
    ...(databaseUrl === undefined ? {} : { MILLRACE_DATABASE_URL: databaseUrl }),
    ...both,
  })
  assert.equal(code, 0, stderr)
  places.add('output of rekey', stdout + stderr)
  await control.restart(next)
  keepOutput(control, proxy, places)
  await proxy.restart(next)
}

/** The proxy dies in the middle of requests, and begins again with what it had on disk. */
async function kill(scenario: Scenario): Promise<void> {
  const { control, proxy, given, places, tokens } = scenario
  const cut = Promise.allSettled(['rotated', 'own'].map((name) => scenario.chat(tokens[name as 'own'], 'literal/slow')))
  await scenario.untilServing()
  await scenario.untilRecorded()
  keepOutput(control, proxy, places)
  await proxy.kill9()
  await cut
  await proxy.restart({ MILLRACE_MASTER_KEY: given.nextMasterKey, MILLRACE_MASTER_KEY_PREVIOUS: '' })
}

function keepOutput(control: ControlProcess, proxy: ProxyProcess, places: Places): void {
  for (const [name, { stdout, stderr }] of Object.entries({
    'log of control': control.output(),
    'log of the proxy': proxy.output(),
  })) {
    assert.ok(stderr.length < MOST_OUTPUT / 2, `${name} has ${stderr.length} characters`)
    places.add(name, stdout + stderr)
  }
}

/** A server of our own believes every password; one that was given has its own, which must not stand anywhere either. */
function withPassword(url: string, given: Secrets): string {
  const changed = new URL(url)
  if (process.env['MILLRACE_TEST_DATABASE_URL']) {
    if (changed.password !== '') given.keep("the database server's password", decodeURIComponent(changed.password))
  } else {
    changed.password = given.databasePassword
  }
  return changed.href
}

async function dumpServer(url: string, places: Places): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await dumpDatabase(async (sql) => (await client.query(sql)).rows, places)
  } finally {
    await client.end()
  }
}
