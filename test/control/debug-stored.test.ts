/** Debug captures and several control processes; for how long, and how much, is stored. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import type { DebugExchange } from '@millrace/shared'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import { uniqueName } from '../helpers/names.ts'
import { startPostgres, type Database } from '../helpers/postgres.ts'
import { waitFor } from '../helpers/wait.ts'
import { find, Following, READ, SET, store } from './debug/capturing.ts'
import { sampleExchange } from './debug/sample-exchange.ts'

const server = await startPostgres()
const skip = 'skip' in server ? server.skip : false
after(async () => {
  if (!('skip' in server)) await server[Symbol.asyncDispose]()
})

describe('several control processes', { skip }, () => {
  const stack = new AsyncDisposableStack()
  let database: Database
  let one: ControlProcess
  let other: ControlProcess
  before(async () => {
    database = stack.use(await ('skip' in server ? assert.fail() : server.createDatabase()))
    one = stack.use(await startControl({ databaseUrl: database.url }))
    other = stack.use(await startControl({ databaseUrl: database.url, dataDir: one.dataDir }))
  })
  after(() => stack.disposeAsync())

  const set = (given: object): Promise<any> => one.gql(SET, { enabled: true, ...given }, one.adminKey)
  const storeAt = (exchange: DebugExchange): Promise<number> => store(other, [exchange], one.proxyKey)

  test('share the setting, and tell proxies when it ends by itself', async () => {
    await using proxy = new Following(other, one.proxyKey)
    await set({ maxBodyBytes: 5 })
    await proxy.until(({ enabled, maxBodyBytes }) => enabled && maxBodyBytes === 5)
    await database.query("update debug_capture set until = now() - interval '1 second'")
    const { remainingMs } = await proxy.until(({ enabled, maxBodyBytes }) => !enabled && maxBodyBytes === 5)
    assert.equal(remainingMs, 0)
    const { it } = await other.gql(READ, {}, one.adminKey)
    assert.ok(!it.enabled && Date.parse(it.until) < Date.now())
    assert.equal(await storeAt(sampleExchange()), 1)
    await database.query("update debug_capture set accepts_until = now() - interval '1 second'")
    assert.equal(await storeAt(sampleExchange()), 0)
  })

  test('store no more of one capture than there is room for', async () => {
    await set({})
    await using proxy = new Following(other, one.proxyKey)
    await proxy.until(({ enabled }) => enabled)
    await database.query('update debug_capture set room = 10')
    assert.equal(await storeAt(sampleExchange()), 1)
    assert.equal(await storeAt(sampleExchange()), 0)
    await proxy.until(({ enabled }) => !enabled)
    await set({})
    assert.equal(await storeAt(sampleExchange()), 1)
  })

  test('show nothing whose time is over, and delete it', async () => {
    await set({})
    const [expired, old, young] = [sampleExchange(), sampleExchange(), sampleExchange()]
    assert.equal(await store(other, [expired, old, young], one.proxyKey), 3)
    await database.query('update debug_exchange set expires_at = now() where id = $1', [expired.id])
    await database.query("update debug_exchange set stored_at = now() - interval '7 days' where id = $1", [old.id])
    for (const { id } of [expired, old]) assert.equal(await find(other, id, one.adminKey), null)
    assert.ok(await find(other, young.id, one.adminKey))
    await waitFor(
      async () => {
        const rows = await database.query('select id from debug_exchange')
        return !rows.some(({ id }) => id === expired.id || id === old.id) && rows.some(({ id }) => id === young.id)
      },
      { what: 'them to be deleted', timeoutMs: 60_000, intervalMs: 200 },
    )
  })

  test('say nothing of what was said when it cannot be stored', async () => {
    await set({})
    const mark = uniqueName('never-logged')
    await database.query(
      "alter table debug_exchange add constraint refusing check (request_body not like 'never-logged%')",
    )
    await assert.rejects(storeAt(sampleExchange({ requestBody: mark })), ({ code, message }: any) => {
      assert.equal(code, 'INTERNAL_SERVER_ERROR')
      return !message.includes(mark)
    })
    await database.query('alter table debug_exchange drop constraint refusing')
    await waitFor(() => other.output().stderr.includes('debug exchanges could not be stored'))
    const { stdout, stderr } = other.output()
    assert.ok(!`${stdout}${stderr}`.includes(mark))
  })
})
