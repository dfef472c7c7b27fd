/** Clearing more sticky bindings than can be deleted at once: it holds at once, and the rest follows. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { newId } from '@millrace/shared'
import { pino } from 'pino'

import { openServer } from '../../packages/control/dist/db/server.js'
import { sweepClears } from '../../packages/control/dist/sticky/clears.js'
import { createAlias, createProvider } from '../helpers/configuration.ts'
import { startControl } from '../helpers/control.ts'
import { uniqueName } from '../helpers/names.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { waitFor } from '../helpers/wait.ts'
import * as documents from './documents.ts'

/** More than one statement's. */
const MANY = 50_000
const BINDINGS = `query ($alias: ID!, $key: String) {
  it: stickyBindings(alias: $alias, key: $key, first: 500) { key }
}`
const CLEAR = 'mutation ($alias: ID!, $key: String) { it: clearStickyBindings(alias: $alias, key: $key) }'

const server = await startPostgres()
const skip = 'skip' in server ? server.skip : false
after(async () => {
  if (!('skip' in server)) await server[Symbol.asyncDispose]()
})

test('many bindings are cleared', { skip }, async (t) => {
  await using own = await ('skip' in server ? assert.fail() : server.createDatabase())
  await using control = await startControl({ databaseUrl: own.url })
  const ask = async (document: string, variables: object): Promise<any> =>
    (await control.gql(document, { ...variables })).it
  const provider = await createProvider(control, null, { kind: 'SIMULATED' })
  const name = uniqueName('sticky')
  const alias = await createAlias(control, name, [{ provider }], { sticky: { scope: 'USER' } })
  const [route] = (await ask(documents.ALIAS_BY_NAME, { name })).routes
  const [before, later] = ['before', 'later'].map((subject) => `${alias}:p:USER:${subject}`)

  /** Bindings of an alias; of each ten, one has expired. */
  const bind = (aliasId: string, keys: string, boundAt: string, count = 1): Promise<unknown> =>
    own.query(
      `insert into sticky_binding (key, alias_id, scope, route_id, backend, bound_at, expires_at, used_at, forget_hour)
       select $1 || case when $4 = 1 then '' else n::text end, $2, 'USER', $3, 'memory', ${boundAt},
         now() + case when n % 10 = 0 then -interval '1 hour' else interval '1 hour' end, now(), 1000000
       from generate_series(1, $4) as n`,
      [keys, aliasId, route.id, count],
    )
  const stored = async (aliasId: string): Promise<number> =>
    (await own.query('select count(*)::integer as n from sticky_binding where alias_id = $1', [aliasId]))[0]!['n']
  const keys = async (variables: object): Promise<string[]> =>
    (await ask(BINDINGS, variables)).map(({ key }: { key: string }) => key)

  const neighbour = newId()
  await bind(alias, `${alias}:p:USER:many`, "now() - interval '1 minute'", MANY)
  await bind(alias, before!, "now() - interval '1 minute'")
  await bind(neighbour, 'neighbour', "now() - interval '1 minute'")

  await t.test('nobody is told of them from then on, and they are counted once', async () => {
    assert.equal(await ask(CLEAR, { alias, key: before }), 1)
    assert.deepEqual(await keys({ alias, key: before }), [])
    assert.equal(await ask(CLEAR, { alias }), 0.9 * MANY)
    assert.deepEqual(await keys({ alias }), [])
    assert.equal(await ask(CLEAR, { alias }), 0)
    await bind(alias, later!, "now() + interval '1 second'")
    assert.deepEqual(await keys({ alias }), [later])
  })

  await t.test('they are deleted, and those that came later stay', async () => {
    const database = await openServer(own.url, pino({ level: 'silent' }))
    await using _closing = { [Symbol.asyncDispose]: () => database.close() }
    const sweep = (): Promise<void> => sweepClears(database, new AbortController().signal)
    await sweep()
    assert.ok((await stored(alias)) > MANY, 'what was on its way may still come')
    await own.query("update sticky_clear set at = at - interval '50 seconds'")
    await sweep()
    // Control does so, too, and may have begun with some.
    await waitFor(async () => (await stored(alias)) === 1, { what: 'all to be deleted' })
    assert.equal(await stored(neighbour), 1)
    assert.deepEqual(await keys({ alias }), [later])
  })

  await t.test('a clear is kept for an hour, and longer where it was not carried out', async () => {
    const database = await openServer(own.url, pino({ level: 'silent' }))
    await using _closing = { [Symbol.asyncDispose]: () => database.close() }
    const clears = async (): Promise<number> =>
      (await own.query('select count(*)::integer as n from sticky_clear'))[0]!['n']
    await sweepClears(database, new AbortController().signal)
    assert.equal(await clears(), 3)
    // Control may do at any moment what is done here.
    await own.query(
      "create table old as select number, id, alias_id, key, at - interval '2 hours' as at, false as swept from sticky_clear",
    )
    await own.query("update sticky_clear set at = at - interval '2 hours'")
    await bind(alias, 'old', "now() - interval '3 hours'")
    assert.deepEqual(await keys({ alias }), [later, 'old'], 'what is told of later counts')
    await own.query('insert into sticky_clear select * from old on conflict (number) do update set swept = false')
    assert.deepEqual(await keys({ alias }), [later])
    await waitFor(async () => {
      await sweepClears(database, new AbortController().signal)
      return (await clears()) === 0 && (await stored(alias)) === 1
    })
  })
})
