/** What a proxy makes of what operators ask of every proxy: sticky bindings that are to be forgotten. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { MAX_INSTRUCTIONS, newId, type Instruction } from '@millrace/shared'
import { pino } from 'pino'

import { ControlClient } from '../../packages/proxy/dist/control/client.js'
import { Instructions } from '../../packages/proxy/dist/control/instructions.js'
import { Redis } from '../../packages/proxy/dist/redis/redis.js'
import { StickyBindings } from '../../packages/proxy/dist/sticky/bindings.js'
import { RedisBindings } from '../../packages/proxy/dist/sticky/redis.js'
import { startFakeControl, type FakeControl } from '../helpers/fake-control.ts'
import { startGateway } from '../helpers/gateway.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { RedisServer, redisUnusable } from '../helpers/redis.ts'
import { waitFor } from '../helpers/wait.ts'

const TTL = 600_000
const SILENT = pino({ level: 'silent' })
const skip = await redisUnusable()

/** To forget one binding of an alias, or all. */
function toClear(aliasId: string, key: string | null, ageMs: number): Instruction {
  const at = new Date(Date.now() - ageMs).toISOString()
  return { id: newId(), at, ageMs, clearStickyBindings: { aliasId, key }, purgeCache: null }
}

describe('instructions', () => {
  let control: FakeControl
  before(async () => {
    control = await startFakeControl()
  })
  after(() => control[Symbol.asyncDispose]())

  /** Of a proxy that has no answers to forget. */
  const instructionsOf = (sticky: StickyBindings): Instructions =>
    new Instructions({
      sticky,
      cache: { purge: () => assert.fail('nothing is to be purged') },
      control: new ControlClient(control.url, 'key'),
      membership: { identity: { id: newId(), version: '1', startedAt: new Date().toISOString() }, workers: 1 },
      log: SILENT,
    })
  /** A proxy's side of one connection; who comes is told all that was ever asked. */
  function followed(instructions: Instructions) {
    const client = new ControlClient(control.url, 'key').connect(() => undefined)
    instructions.follow(client)
    return { [Symbol.dispose]: () => client.terminate() }
  }
  const actionOf = async (bindings: StickyBindings, key: string): Promise<string> =>
    (await bindings.bind(key, ['a'], 'a', TTL)).action

  test('are carried out once, and harm nothing that came after them when they come again', async () => {
    const bindings = new StickyBindings(null)
    const alias = newId()
    const [ann, bob] = [`${alias}:ann`, `${alias}:bob`]
    for (const key of [ann, bob]) await actionOf(bindings, key)
    const instructions = instructionsOf(bindings)
    {
      using _ = followed(instructions)
      control.instruct(toClear(alias, ann, 0))
      await waitFor(async () => (await actionOf(bindings, ann)) === 'BIND', { what: 'one to be forgotten' })
      assert.equal(await actionOf(bindings, bob), 'HIT')
      control.instruct(toClear(alias, null, 0))
      await waitFor(async () => (await actionOf(bindings, bob)) === 'BIND', { what: 'all to be forgotten' })
      await actionOf(bindings, ann)
    }
    // As if they had been given just now: known by their ids.
    using _again = followed(instructions)
    control.instruct(toClear(alias, 'nobody', 0))
    await sleep(500)
    for (const key of [ann, bob]) assert.equal(await actionOf(bindings, key), 'HIT', key)
  })

  test('that are not known any longer find nothing that is older than they are', async () => {
    const alias = newId()
    const [old, young] = [`${alias}:old`, `${alias}:young`]
    const bindings = new StickyBindings(null)
    await actionOf(bindings, old)
    await sleep(3_000)
    await actionOf(bindings, young)
    // As late as it comes, so much more is forgotten.
    control.instruct(toClear(alias, null, 2_700))
    using _ = followed(instructionsOf(bindings))
    await waitFor(async () => (await actionOf(bindings, old)) === 'BIND', { what: 'the older one to be forgotten' })
    assert.equal(await actionOf(bindings, young), 'HIT')
  })

  test('are carried out in Redis once it is there, those from before the proxy too', { skip }, async () => {
    await using server = await RedisServer.start()
    const connect = () => {
      const redis = new Redis(server.url, SILENT, 2_000)
      return { redis, [Symbol.dispose]: () => redis.close() }
    }
    using other = connect()
    other.redis.start()
    await waitFor(() => other.redis.ready)
    const shared = new RedisBindings(other.redis)
    const alias = newId()
    await shared.bind(`${alias}:ann`, ['a'], 'a', TTL)
    control.instruct(toClear(alias, null, 0))
    using own = connect()
    using _ = followed(instructionsOf(new StickyBindings(own.redis)))
    await sleep(500)
    assert.equal((await shared.bind(`${alias}:ann`, ['a'], 'a', TTL)).action, 'HIT')
    own.redis.start()
    await waitFor(async () => (await shared.bind(`${alias}:ann`, ['a'], 'a', TTL)).action === 'BIND', {
      what: 'Redis to be cleared',
      timeoutMs: 20_000,
    })
  })
})

test('more instructions than are remembered harm nothing after a reconnect', async (t) => {
  const server = await startPostgres()
  if ('skip' in server) return t.skip(server.skip)
  await using _server = server
  await using database = await server.createDatabase()
  await using gateway = await startGateway({ databaseUrl: database.url })
  const provider = await gateway.addProvider(null, { kind: 'SIMULATED' })
  const alias = await gateway.addAlias('many', [{ provider }], { sticky: { scope: 'USER' } })
  await gateway.untilServed()
  const clear = (key: string | null): Promise<unknown> =>
    gateway.control.gql('mutation ($alias: ID!, $key: String) { clearStickyBindings(alias: $alias, key: $key) }', {
      alias,
      key,
    })
  const ask = async (user: string) => {
    const response = await gateway.chat('many', {}, { 'x-millrace-user': user })
    await response.text()
    return (await gateway.record(response.headers.get('x-request-id')!)).decision!.sticky
  }
  /** What was asked before has been carried out when this returns. */
  const clearBob = async (): Promise<void> => {
    const { key } = await ask('bob')
    await clear(key)
    await waitFor(async () => (await ask('bob')).action === 'BIND', { what: "bob's binding to be forgotten" })
  }
  await ask('ann')
  await clear(null)
  await waitFor(async () => (await ask('ann')).action === 'BIND', { what: "ann's binding to be forgotten" })
  await database.query(
    `insert into sticky_clear (id, alias_id, key, at)
     select gen_random_uuid(), $1, 'nobody ' || n, clock_timestamp() from generate_series(1, $2) as n`,
    [alias, MAX_INSTRUCTIONS + 100],
  )
  await clearBob()
  await gateway.control.restart()
  await clearBob()
  assert.equal((await ask('ann')).action, 'HIT')
})
