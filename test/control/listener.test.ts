/** Hearing a server's notifications: on one connection for all who listen, which ends with the last of them. */
import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'

import { pino } from 'pino'

import { openServer } from '../../packages/control/dist/db/server.js'
import { startPostgres } from '../helpers/postgres.ts'
import { waitFor, within } from '../helpers/wait.ts'

const server = await startPostgres()
const skip = 'skip' in server ? server.skip : false
after(async () => {
  if (!('skip' in server)) await server[Symbol.asyncDispose]()
})

suite('listening', { skip }, () => {
  async function opened() {
    await using stack = new AsyncDisposableStack()
    const own = stack.use('skip' in server ? assert.fail() : await server.createDatabase())
    const database = await openServer(own.url, pino({ level: 'silent' }))
    stack.defer(() => database.close())
    const moved = stack.move()
    return { own, database, [Symbol.asyncDispose]: () => moved.disposeAsync() }
  }

  test('hears what is notified', async () => {
    await using stage = await opened()
    const heard = { one: 0, other: 0 }
    const stops = [
      await stage.database.listen('one', () => heard.one++),
      await stage.database.listen('other', () => heard.other++),
    ]
    await waitFor(() => heard.one > 0 && heard.other > 0, { what: 'to be told that it listens' })
    const before = { ...heard }
    await stage.own.query("select pg_notify('one', '')")
    await waitFor(() => heard.one > before.one)
    assert.equal(heard.other, before.other)
    for (const stop of stops) await within(20_000, 'the end', stop())
  })

  test('ends at whatever moment it is told to', async () => {
    await using stage = await opened()
    // The first connection takes some milliseconds.
    for (let i = 0; i < 40; i++) {
      const stop = await stage.database.listen('one', () => undefined)
      await new Promise((resolve) => setTimeout(resolve, i / 2))
      await within(20_000, `the end after ${i / 2} ms`, stop())
    }
  })
})
