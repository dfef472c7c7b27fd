/** The configuration at an earlier revision is what was told to proxies then, on each database. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'

import { DEFAULT_CACHE, newId, type Snapshot } from '@millrace/shared'

import type { Database } from '../../packages/control/dist/db/database.js'
import { openDatabase } from '../../packages/control/dist/db/open.js'
import { snapshotAt } from '../../packages/control/dist/revisions/configuration-at.js'
import type { Revised } from '../../packages/control/dist/snapshot/build.js'
import { startControl, type ControlProcess } from '../helpers/control.ts'
import { databases } from '../helpers/postgres.ts'
import * as documents from './documents.ts'
import { newestSnapshot } from './snapshots.ts'

const SILENT = { debug: () => undefined } as unknown as Parameters<typeof openDatabase>[2]

const found = await databases()
after(() => found.close())

for (const kind of found.kinds) {
  describe(`on ${kind.name}`, { skip: kind.skip }, () => {
    test('each revision can be told again', async () => {
      await using stack = new AsyncDisposableStack()
      const { databaseUrl, [Symbol.asyncDispose]: drop } = await kind.create()
      stack.defer(drop)
      const control = stack.use(await startControl(databaseUrl === undefined ? {} : { databaseUrl }))
      const told = await changeALot(control)
      await control.stop()
      const database = await openDatabase(databaseUrl, control.dataDir, SILENT)
      stack.defer(() => database.close())

      assert.ok(told.length > 25)
      for (const snapshot of told) {
        const again = await retold(database, snapshot.revision)
        assert.deepEqual(comparable(again), comparable(snapshot), `revision ${snapshot.revision}`)
      }
      const newest = told.at(-1)!
      for (const number of [-1, 0, newest.revision + 1]) assert.equal(await snapshotAt(database, number), 'unknown')
      await forgetAccess(database, told)
      await forgetCache(database, told)
      await forgetIdentities(database, told)
    })
  })
}

async function retold(database: Database, number: number): Promise<Revised> {
  const snapshot = await snapshotAt(database, number)
  return typeof snapshot === 'string' ? assert.fail(`revision ${number} is ${snapshot}`) : snapshot
}

/** Without what is no part of revisions, and in one order. */
function comparable({ revision, providers, aliases, projects }: Revised): object {
  const byId = <T extends { id: string }>(list: readonly T[]): T[] => list.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  return {
    revision,
    providers: byId(providers).map((provider) => ({
      ...provider,
      credentials: byId(provider.credentials).map((credential) => ({ ...credential, secret: null })),
    })),
    aliases: byId(aliases),
    projects: byId(projects).map((project) => ({ ...project, used: null })),
  }
}

/** As providers that are gone were described before they had an access. */
async function forgetAccess(database: Database, told: readonly Snapshot[]): Promise<void> {
  const rows = await database.em().execute<{ number: number }[]>(
    `update config_revision set changes = jsonb_set(changes, '{0,before}', (changes->0->'before') - 'access')
     where changes->0->>'kind' = 'provider' and changes->0->>'action' = 'DELETE' returning number`,
  )
  assert.equal(rows.length, 1)
  const number = rows[0]!.number - 1
  const { providers } = await retold(database, number)
  assert.equal(providers.length, told.find(({ revision }) => revision === number)!.providers.length)
  assert.equal(providers.find(({ name }) => name === 'first')!.access, null)
}

/** As aliases that are gone were described before they had a cache, or knew of parameters that a provider does not know. */
async function forgetCache(database: Database, told: readonly Snapshot[]): Promise<void> {
  const rows = await database.em().execute<{ number: number }[]>(
    `update config_revision set changes = jsonb_set(changes, '{0,before}', (changes->0->'before') - 'cache' - 'unknownParameters')
     where changes->0->>'kind' = 'alias' and changes->0->>'action' = 'DELETE' returning number`,
  )
  assert.equal(rows.length, 2)
  for (const { number } of rows) {
    const { aliases } = await retold(database, number - 1)
    const before = told.find(({ revision }) => revision === number - 1)!.aliases
    assert.deepEqual(
      aliases.map(({ cache, unknownParameters }) => [cache, unknownParameters]),
      before.map(() => [DEFAULT_CACHE, 'DROP']),
    )
  }
}

/** As revisions were stored before their changes had identities: what lies before such a one isn't known any more. */
async function forgetIdentities(database: Database, told: readonly Snapshot[]): Promise<void> {
  const strip = async (kindOfChange: string): Promise<number> => {
    const [row] = await database.em().execute<{ number: number }[]>(
      `update config_revision set changes = (select jsonb_agg(change - 'identity') from jsonb_array_elements(changes) as change)
       where number = (select max(number) from config_revision where changes->0->>'kind' = ?) returning number`,
      [kindOfChange],
    )
    return row!.number
  }
  const first = told[0]!.revision
  await strip('token')
  // Tokens are no part of it.
  await retold(database, first)
  const number = await strip('project')
  assert.equal(await snapshotAt(database, first), 'lost')
  assert.equal(await snapshotAt(database, number - 1), 'lost')
  assert.equal((await retold(database, number)).revision, number)
}

/** Makes one change after the other and returns what proxies were told after each. */
async function changeALot(control: ControlProcess): Promise<Snapshot[]> {
  const told = [await newestSnapshot(control)]
  const change = async (document: string, variables = {}): Promise<any> => {
    const { it } = await control.gql(document, variables)
    const snapshot = await newestSnapshot(control)
    assert.equal(snapshot.revision, told.at(-1)!.revision + 1)
    told.push(snapshot)
    return it
  }
  const create = (document: string, input: object): Promise<any> => change(document, { input })
  const update = (document: string, id: string, input: object): Promise<any> => change(document, { id, input })

  const first = await create(documents.CREATE_PROVIDER, {
    name: 'first',
    kind: 'OPENAI_COMPATIBLE',
    baseUrl: 'http://127.0.0.1:9/v1',
    apiKeys: ['sk-one', 'env:TWO_API_KEY'],
    timeouts: { connect: 10 },
    breaker: { errorRate: 0.1 },
    settings: { http2: true },
    access: { models: ['gpt-*'], params: { 'format.type': ['json_*'], n: ['1'] } },
  })
  const project = await create(documents.CREATE_PROJECT, { name: 'tenant', limits: { maxConcurrent: 3 } })
  const own = await change(documents.ADD_CREDENTIAL, {
    provider: first.id,
    input: { apiKey: 'sk-three', project: project.id },
  })
  const second = await create(documents.CREATE_PROVIDER, { name: 'second', kind: 'SIMULATED', direct: true })
  const alias = await create(documents.CREATE_ALIAS, {
    name: 'chat/*',
    strategy: 'LEAST_BUSY',
    sticky: { scope: 'USER' },
    retry: { maxAttempts: 2 },
    cache: { enabled: true },
    routes: [
      { provider: first.id, providerModel: 'big-*', priority: 1, inputPrice: '0.15', condition: { stream: true } },
      {
        provider: second.id,
        weight: 3,
        condition: { 'metadata.plan': { $in: ['pro', null] }, max_tokens: { $gt: 5 } },
      },
      { provider: second.id, providerModel: 'small', weight: 2, enabled: false },
    ],
  })
  await update(documents.UPDATE_ALIAS, alias.id, {
    retry: { jitter: 0, maxAttempts: null },
    sticky: { ttlSeconds: 5 },
    hedge: {},
    cache: { ttlSeconds: 9, coalesce: true },
    timeouts: { total: 1_000, idle: 10 },
  })
  await update(documents.UPDATE_ALIAS, alias.id, {
    hedge: { afterMs: 5 },
    cache: { enabled: null, replayPace: 'RECORDED' },
    timeouts: { idle: null },
    strategy: 'RANDOM',
  })
  await update(documents.UPDATE_ALIAS, alias.id, {
    hedge: null,
    cache: null,
    timeouts: null,
    sticky: null,
    enabled: false,
  })
  await update(documents.UPDATE_ALIAS, alias.id, { name: 'talk/*', retry: null })
  const [a, b, c] = alias.routes.map(({ id }: { id: string }) => id)
  await update(documents.UPDATE_ROUTE, b, {
    condition: { 'metadata.plan': { $eq: null } },
    priority: 2,
    outputPrice: '3',
  })
  await update(documents.UPDATE_ROUTE, b, { condition: { 'metadata.plan': { $ne: 'pro' } }, outputPrice: null })
  await update(documents.UPDATE_ROUTE, c, { condition: {}, cachedInputPrice: '0.01', name: 'spare', enabled: true })
  await update(documents.UPDATE_ROUTE, a, { condition: null, providerModel: null, weight: 0 })
  const added = await change(documents.ADD_ROUTE, { alias: alias.id, input: { provider: second.id, priority: 1 } })
  await change(documents.DELETE_ROUTE, { id: c })
  await update(documents.UPDATE_PROVIDER, first.id, {
    timeouts: { connect: null, idle: 5 },
    breaker: { errorRate: null, openSeconds: 2 },
    settings: { http2: null },
    maxConcurrency: 3,
  })
  await update(documents.UPDATE_PROVIDER, first.id, { access: { params: { 'format.type': null }, methods: ['GET'] } })
  await update(documents.UPDATE_PROVIDER, first.id, { access: null })
  await update(documents.UPDATE_PROVIDER, first.id, { access: { ownKeys: true } })
  await update(documents.UPDATE_PROJECT, project.id, {
    limits: { maxConcurrent: null, requestsPerMinute: 7 },
    budget: { limitUsd: '1.5', period: 'DAY' },
  })
  await update(documents.UPDATE_PROJECT, project.id, { budget: { limitUsd: '2', period: 'TOTAL' }, limits: null })
  await update(documents.UPDATE_PROJECT, project.id, { budget: null })
  await update(documents.UPDATE_PROVIDER, first.id, { baseUrl: 'http://127.0.0.1:10/v1' })
  await change(documents.ADD_CREDENTIAL, { provider: first.id, input: { apiKey: 'sk-one' } })
  await change(documents.SET_CREDENTIAL_ENABLED, { id: first.credentials[0].id, enabled: false })
  await change(documents.DELETE_CREDENTIAL, { id: own.id })
  await change(documents.ADD_CREDENTIAL, { provider: first.id, input: { apiKey: 'sk-three', project: project.id } })
  await change(documents.SET_BREAKER, { provider: second.id, state: 'FORCED_OPEN' })
  await change(documents.SET_BREAKER, { provider: second.id, state: 'CLOSED' })
  const named = await create(documents.CREATE_ALIAS, { name: 'talk/*', project: project.id, routes: [] })
  const { token } = await create(documents.CREATE_TOKEN, { name: newId(), project: project.id })
  await change(documents.REVOKE_TOKEN, { id: token.id })
  await update(documents.UPDATE_PROJECT, project.id, { name: 'former tenant', active: false })
  await change(documents.DELETE_ALIAS, { id: alias.id })
  await change(documents.DELETE_PROVIDER, { id: first.id })
  await update(documents.UPDATE_PROVIDER, second.id, { name: 'first', enabled: false })
  await change(documents.DELETE_ALIAS, { id: named.id })
  assert.ok(added.id)
  return told
}
