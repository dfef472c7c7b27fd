/** Several control processes on one database: a subscriber at any of them is told what any of them has taken, once. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { LIVE_WANTED_SUBSCRIPTION, newId } from '@millrace/shared'

import { startControl, type ControlProcess } from '../helpers/control.ts'
import { uniqueName } from '../helpers/names.ts'
import { startPostgres, type Database } from '../helpers/postgres.ts'
import { waitFor } from '../helpers/wait.ts'
import * as documents from './documents.ts'
import { ingest, Listener, listening, liveEvent, report } from './feeding.ts'
import { sample } from './sample.ts'

const ALL = ['STARTED', 'FIRST_TOKEN', 'FINISHED']
/** The first start's keys, so that both processes know them. */
const env = { MILLRACE_ADMIN_KEY: `sk-admin-${'a'.repeat(40)}` }

const server = await startPostgres()
const skip = 'skip' in server ? server.skip : false

describe('two control processes', { skip }, () => {
  const stack = new AsyncDisposableStack()
  let database: Database
  let here: ControlProcess
  let there: ControlProcess
  before(async () => {
    if ('skip' in server) return
    stack.use(server)
    database = stack.use(await server.createDatabase())
    const options = { databaseUrl: database.url, env }
    here = stack.use(await startControl(options))
    there = stack.use(await startControl({ ...options, dataDir: here.dataDir }))
    // Of a first start it was told alone.
    Object.defineProperty(there, 'proxyKey', { value: here.proxyKey })
  })
  after(() => stack.disposeAsync())

  test('tell each other of requests, each once and in its order', async () => {
    const { listener, make } = await listening(here, { kinds: ALL }, { at: [there] })
    await using _listener = listener
    for (let i = 0; i < 20; i++) {
      const record = make({ model: `${i}` })
      await report(there, liveEvent('STARTED', record))
      await ingest(there, record)
      await ingest(here, make({ model: `own ${i}` }))
    }
    await listener.has(60)
    await sleep(700)
    assert.equal(listener.events.length, 60)
    const ofOther = listener.told.filter((one) => !one.includes('own'))
    assert.deepEqual(ofOther, Array.from({ length: 20 }, (_one, i) => [`STARTED ${i}`, `FINISHED ${i}`]).flat())
    assert.equal(new Set(listener.events.map(({ id }) => id)).size, 60)
  })

  test('tell each other of decisions', async () => {
    await using decisions = here.subscribe<any>('subscription { it: routeDecisionFeed { model } }')
    const model = uniqueName('decided')
    const first = decisions.next()
    await waitFor(
      async () => {
        await ingest(there, sample({ model }))
        return Promise.race([first, sleep(100)])
      },
      { what: 'a decision' },
    )
    assert.equal((await first).value.it.model, model)
  })

  test('write nothing for each other while nobody listens', async () => {
    const written = async (): Promise<string[]> =>
      (await database.query("select origin_id || ' ' || number as batch from feed_relay")).map(({ batch }) => batch)
    await waitFor(async () => (await database.query('select from feed_interest')).length === 0, {
      what: 'nobody to listen',
    })
    // Old ones are deleted all the while.
    const old = new Set(await written())
    // A subscriber of one's own is none of another's.
    const { listener, make } = await listening(here, {})
    await using _ = listener
    for (let i = 0; i < 5; i++) await ingest(here, make())
    await listener.has(5)
    await sleep(100)
    assert.deepEqual(
      (await written()).filter((batch) => !old.has(batch)),
      [],
    )
  })

  test('are told of by the other though it was not notified, and count what was lost on the way', async () => {
    const { listener, make } = await listening(here, {})
    await using _ = listener
    const origin = newId()
    const dropped = async (): Promise<number> => {
      const response = await fetch(`${here.url}/metrics`)
      return Number(/^millrace_feed_dropped_total (\d+)$/m.exec(await response.text())![1])
    }
    const known = await dropped()
    const write = async (number: number, first: number, model: string): Promise<void> => {
      const record = make({ model })
      const at = new Date()
      const id = `${at.getTime().toString(16).padStart(12, '0')}-2-${record.id}`
      await database.query('insert into feed_relay (origin_id, number, first, events) values ($1, $2, $3, $4)', [
        origin,
        number,
        first,
        JSON.stringify([{ kind: 'FINISHED', id, at, record }]),
      ])
    }
    await write(1, 0, 'one')
    await listener.has(1)
    await write(4, 7, 'two')
    await listener.has(2)
    assert.deepEqual(listener.told, ['FINISHED one', 'FINISHED two'])
    assert.equal((await dropped()) - known, 6)
  })

  test('know of each other that requests are wanted while they are served', async () => {
    await using wanted = there.subscribe<{ liveWanted: boolean }>(LIVE_WANTED_SUBSCRIPTION, {}, there.proxyKey)
    const next = async (): Promise<boolean> => (await wanted.next()).value!.liveWanted
    if (await next()) assert.equal(await next(), false)
    await using _ = new Listener(here, { kinds: ['STARTED'] })
    assert.equal(await next(), true)
  })

  test('go on where the other was left, without a gap', async () => {
    const { listener, make } = await listening(here, {}, { at: [here, there] })
    const filter = { search: make().userKey! }
    await ingest(here, make({ model: 'seen' }))
    const [seen] = await listener.has(1)
    await listener[Symbol.asyncDispose]()
    let made = 0
    const written: string[] = []
    // It goes on all the while: what comes by the database, and what comes live, have no gap between them.
    const writing = (async () => {
      for (const until = performance.now() + 4_000; performance.now() < until; made++) {
        const record = make({ model: `${made}` })
        await ingest(made % 2 ? here : there, record)
        written.push(record.id)
        await sleep(10)
      }
    })()
    await sleep(300)
    await using resumed = new Listener(there, { filter, after: seen!.id })
    await writing
    const told = (): Set<string> => new Set(resumed.events.map(({ record }) => record!.id))
    await waitFor(() => written.every((id) => told().has(id)), { what: 'all that was written' })
    // What was stored a few seconds before the event may come again: nothing else comes twice.
    assert.equal(told().size, resumed.events.length)
  })

  test('go on without a gap for one that comes again while its going is still being told', async () => {
    const { listener, make } = await listening(here, {}, { at: [there] })
    const filter = { search: make().userKey! }
    await ingest(there, make({ model: 'seen' }))
    const [seen] = await listener.has(1)
    // Long enough for all to have heard of it.
    await sleep(3_000)
    await database.query('create sequence held')
    await database.query(`create function hold() returns trigger language plpgsql as $$ begin
        perform nextval('held');
        perform pg_sleep(1);
        return coalesce(new, old);
      end $$`)
    await database.query(
      'create trigger hold before insert or delete on feed_interest for each row execute function hold()',
    )
    await listener[Symbol.asyncDispose]()
    // Whoever asks too late still sees it: sequences know no transactions.
    const isHeld = async (): Promise<boolean> => (await database.query('select is_called from held'))[0]!['is_called']
    await waitFor(isHeld, { what: 'its going to be told', intervalMs: 10 })
    await using resumed = new Listener(here, { filter, after: seen!.id })
    const written: string[] = []
    for (const until = performance.now() + 3_000; performance.now() < until; await sleep(20)) {
      const record = make()
      await ingest(there, record)
      written.push(record.id)
    }
    await database.query('drop trigger hold on feed_interest')
    await waitFor(() => written.every((id) => resumed.events.some(({ record }) => record!.id === id)), {
      what: 'all that was written',
    })
  })

  test('tell each other of health, revisions and audit events', async () => {
    const provider = (
      await here.gql<any>(documents.CREATE_PROVIDER, { input: { name: uniqueName('p'), kind: 'SIMULATED' } })
    ).it
    /** What was done before may be told late, and so first. */
    const heard = async (query: string, isMeant: (it: any) => boolean, poke: () => Promise<unknown>): Promise<void> => {
      await using events = there.subscribe<any>(query)
      const hearing = (async () => {
        for await (const { it } of events) if (isMeant(it)) return true
        return false
      })()
      hearing.catch(() => undefined)
      await waitFor(
        async () => {
          await poke()
          return Promise.race([hearing, sleep(100)])
        },
        { what: query },
      )
    }
    const force = (state: string): Promise<unknown> => here.gql(documents.SET_BREAKER, { provider: provider.id, state })
    await heard(
      'subscription { it: providerHealth { name } }',
      ({ name }) => name === provider.name,
      async () => {
        for (const state of ['FORCED_OPEN', 'CLOSED']) {
          await force(state)
          await sleep(300)
        }
      },
    )
    for (const query of [
      'subscription { it: configRevisions { changes { name } } }',
      'subscription { it: auditFeed { subject } }',
    ]) {
      const name = uniqueName('change')
      await heard(
        query,
        (it) => JSON.stringify(it).includes(name),
        () => here.gql(documents.CREATE_PROJECT, { input: { name: uniqueName(name) } }),
      )
    }
  })
})
