/** What a proxy makes of purges that operators ask of every proxy, and what it tells of them. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'

import { MAX_INSTRUCTIONS, newId, type Instruction, type PurgeScope } from '@millrace/shared'
import { pino } from 'pino'

import { ControlClient } from '../../packages/proxy/dist/control/client.js'
import { Instructions, type Purgeable } from '../../packages/proxy/dist/control/instructions.js'
import { StickyBindings } from '../../packages/proxy/dist/sticky/bindings.js'
import { startFakeControl, type FakeControl } from '../helpers/fake-control.ts'
import { startGateway } from '../helpers/gateway.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { waitFor } from '../helpers/wait.ts'
import { allReady, THREE } from './workers/crew.ts'

const SILENT = pino({ level: 'silent' })
const EVERYTHING: PurgeScope = { projectId: null, model: null }

function toPurge(purgeCache: Partial<PurgeScope>, ageMs = 0): Instruction {
  const at = new Date(Date.now() - ageMs).toISOString()
  return { id: newId(), at, ageMs, clearStickyBindings: null, purgeCache: { ...EVERYTHING, ...purgeCache } }
}

/** Answers that go as the test says. */
class Answers implements Purgeable {
  readonly asked: { readonly scope: PurgeScope; readonly id: string }[] = []
  /** What becomes of purges from now on. */
  goes: (scope: PurgeScope) => Promise<number>

  constructor(goes: (scope: PurgeScope) => Promise<number>) {
    this.goes = goes
  }

  async purge(scope: PurgeScope, id: string): Promise<number> {
    this.asked.push({ scope: { ...scope }, id })
    return this.goes(scope)
  }
}

describe('a purge', () => {
  let control: FakeControl
  const identity = { id: newId(), version: '1', startedAt: new Date().toISOString() }
  const away = (): Promise<never> => Promise.reject(new Error('Redis is away'))

  beforeEach(async () => {
    control = await startFakeControl()
  })
  afterEach(() => control[Symbol.asyncDispose]())

  /** A process of a proxy, connected until it is disposed of; it is told all that was ever asked. */
  function connect(cache: Purgeable, instructions = instructionsOf(cache)) {
    const client = new ControlClient(control.url, 'key').connect(() => undefined)
    instructions.follow(client)
    return { instructions, [Symbol.dispose]: () => client.terminate() }
  }
  function instructionsOf(cache: Purgeable): Instructions {
    const link = new ControlClient(control.url, 'key')
    const membership = { identity, workers: 3 }
    return new Instructions({ sticky: new StickyBindings(null), cache, control: link, membership, log: SILENT })
  }
  /** What was told of an instruction. */
  const toldOf = ({ id }: Instruction) => control.carriedOut.filter(({ instruction }) => instruction === id)

  test('is carried out once, and control is told which process of which proxy has done it', async () => {
    const answers = new Answers(async () => 7)
    const [first, second] = [toPurge({ projectId: newId() }), toPurge({ model: 'gpt' })]
    using connection = connect(answers)
    control.instruct(first)
    await waitFor(() => toldOf(first).length === 1, { what: 'the first to be told' })
    using _again = connect(answers, connection.instructions)
    control.instruct(second)
    await waitFor(() => toldOf(second).length === 1, { what: 'the second to be told' })
    assert.deepEqual(
      answers.asked,
      [first, second].map(({ id, purgeCache }) => ({ id, scope: purgeCache })),
    )
    const [{ process, ...told }, later] = control.carriedOut as [any, any]
    assert.deepEqual({ ...told }, { instruction: first.id, proxy: identity.id, processes: 3, count: 7 })
    assert.equal(later.process, process)
    using _other = connect(new Answers(async () => 2 ** 40))
    await waitFor(() => toldOf(first).length === 2, { what: 'another process to tell' })
    assert.notEqual(toldOf(first)[1]!.process, process)
    assert.equal(toldOf(first)[1]!.count, 2 ** 31 - 1)
  })

  test('that fails is tried again until it succeeds, the last of each kind; only then it is told', async () => {
    const project = newId()
    const [early, late, other] = [
      toPurge({ projectId: project }),
      toPurge({ projectId: project }),
      toPurge({ model: 'm' }),
    ]
    const answers = new Answers(away)
    using _ = connect(answers)
    const triesOf = ({ id }: Instruction): number => answers.asked.filter((one) => one.id === id).length
    for (const instruction of [early, other]) control.instruct(instruction)
    await waitFor(() => triesOf(early) >= 2 && triesOf(other) >= 2, { what: 'second tries' })
    control.instruct(late)
    await waitFor(() => triesOf(late) >= 2, { what: 'a second try of the last' })
    const tries = triesOf(early)
    assert.deepEqual(control.carriedOut, [])
    answers.goes = async () => 1
    await waitFor(() => toldOf(late).length === 1 && toldOf(other).length === 1, { what: 'both to be told' })
    assert.equal(triesOf(early), tries, 'the later one has done what it would do')
  })

  test('is told again until control takes it', async () => {
    control.telling = 'refused'
    const instruction = toPurge({ model: 'told' })
    using _ = connect(new Answers(async () => 1))
    control.instruct(instruction)
    await waitFor(() => toldOf(instruction).length >= 2, { what: 'a second call' })
    control.telling = 'taken'
    const told = toldOf(instruction).length
    await waitFor(() => toldOf(instruction).length === told + 1, { what: 'the call that is taken' })
    const last = toPurge({ model: 'the last' })
    control.instruct(last)
    await waitFor(() => toldOf(last).length === 1, { what: 'the next' })
    assert.deepEqual(new Set(toldOf(instruction).map(({ process }) => process)).size, 1)
  })

  test('of long ago is carried out, and not told any more', async () => {
    const [old, young] = [toPurge({ model: 'old' }, 61_000), toPurge({ model: 'young' })]
    const answers = new Answers(async () => 1)
    using _ = connect(answers)
    for (const instruction of [old, young]) control.instruct(instruction)
    await waitFor(() => toldOf(young).length === 1, { what: 'the young one to be told' })
    assert.ok(answers.asked.some(({ id }) => id === old.id))
    assert.deepEqual(toldOf(old), [])
  })

  test('that takes long holds up no other', async () => {
    const [slow, quick] = [toPurge({ model: 'slow' }), toPurge({ model: 'quick' })]
    const over = Promise.withResolvers<number>()
    using _ = connect(new Answers(async ({ model }) => (model === 'slow' ? over.promise : 1)))
    for (const instruction of [slow, quick]) control.instruct(instruction)
    await waitFor(() => toldOf(quick).length === 1, { what: 'the quick one to be told' })
    assert.deepEqual(toldOf(slow), [])
    over.resolve(5)
    await waitFor(() => toldOf(slow).length === 1, { what: 'the slow one to be told' })
  })

  test('is not held up by others that have failed, and take long when they are tried again', async () => {
    const failing = Array.from({ length: 100 }, (_, i) => toPurge({ model: `failing ${i}` }))
    const answers = new Answers(away)
    using _ = connect(answers)
    for (const instruction of failing) control.instruct(instruction)
    await waitFor(() => answers.asked.length >= failing.length, { what: 'all to have failed' })
    const over = Promise.withResolvers<number>()
    answers.goes = async ({ model }) => (model === 'new' ? 1 : over.promise)
    const tried = answers.asked.length
    await waitFor(() => answers.asked.length > tried, { what: 'second tries' })
    const instruction = toPurge({ model: 'new' })
    control.instruct(instruction)
    await waitFor(() => toldOf(instruction).length === 1, { what: 'the new one to be told' })
    over.resolve(1)
    await waitFor(() => failing.every((one) => toldOf(one).length === 1), { what: 'all to be told' })
  })

  test('more of which than can be remembered are one of everything', async () => {
    const answers = new Answers(away)
    using _ = connect(answers)
    // Some are being tried.
    for (let i = 0; i < MAX_INSTRUCTIONS + 100; i++) control.instruct(toPurge({ model: `model ${i}` }))
    await waitFor(() => answers.asked.some(({ scope }) => scope.projectId === null && scope.model === null), {
      timeoutMs: 60_000,
      what: 'everything to be purged',
    })
  })
})

test('all workers of a proxy tell of a purge, before it is answered', async (t) => {
  const server = await startPostgres()
  if ('skip' in server) return t.skip(server.skip)
  await using _server = server
  await using database = await server.createDatabase()
  await using gateway = await startGateway({ databaseUrl: database.url, proxyEnv: THREE })
  await allReady(gateway.proxy)
  await gateway.untilServed()
  const told = (): Promise<Record<string, unknown>[]> =>
    database.query(
      `select distinct proxy_id = (select id from proxy_instance) as known, processes, (
         select count(*)::integer from purge_done as other where other.purge_id = done.purge_id
       ) as told
       from purge_done as done where purge_id = (select id from cache_purge order by number desc limit 1)`,
    )
  await waitFor(
    async () => {
      await gateway.control.gql('mutation { purgeCache(input: { all: true }) }')
      assert.deepEqual(await told(), [{ known: true, processes: 3, told: 3 }])
      return true
    },
    { timeoutMs: 30_000, what: 'all to have told in time' },
  )
})
