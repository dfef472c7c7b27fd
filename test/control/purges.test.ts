/** Stored answers that operators have purged: what proxies are told, and what they tell, on each database. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'

import { newId, type Instruction } from '@millrace/shared'
import { pino } from 'pino'

import { forgetPurges } from '../../packages/control/dist/cache/purges.js'
import { openServer } from '../../packages/control/dist/db/server.js'
import { createAlias, createProject, createProvider } from '../helpers/configuration.ts'
import { startControl, type ControlProcess } from '../helpers/control.ts'
import { uniqueName } from '../helpers/names.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { waitFor } from '../helpers/wait.ts'
import { Carrier } from './carrier.ts'
import * as documents from './documents.ts'
import { onEachDatabase } from './suites.ts'

const PURGE = 'mutation ($input: PurgeCacheInput!) { it: purgeCache(input: $input) }'
const CLEAR = 'mutation ($alias: ID!) { it: clearStickyBindings(alias: $alias) }'
const CREATE_KEY =
  'mutation ($name: String!, $projects: [ID!]) { it: createAdminKey(name: $name, role: EDITOR, projects: $projects) { secret } }'

async function purge(control: ControlProcess, input: object, key = control.adminKey): Promise<number> {
  return (await control.gql<{ it: number }>(PURGE, { input }, key)).it
}
/** Purges until that many have gone: a machine that has other things to do may be late with what proxies tell. */
function purged(control: ControlProcess, input: object, count: number): Promise<unknown> {
  return waitFor(async () => (await purge(control, input)) === count, {
    timeoutMs: 30_000,
    what: `${count} answers to be purged`,
  })
}
/** Waits until no proxy of another test counts any more. */
function alone(control: ControlProcess): Promise<unknown> {
  return waitFor(
    async () => !(await control.gql('{ proxies { online } }'))['proxies'].some(({ online }: any) => online),
    { timeoutMs: 20_000, what: 'the other proxies to be gone' },
  )
}
/** Tells at once that so many are gone. */
const forgets =
  (count: number) =>
  ({ id, purgeCache }: Instruction, carrier: Carrier): Promise<unknown> | undefined =>
    purgeCache === null ? undefined : carrier.tell(id, { count })

await onEachDatabase((stage) => {
  for (const [input, field] of [
    [{}, 'input'],
    [{ all: null, project: null, model: null }, 'input'],
    [{ all: true, model: 'gpt' }, 'input'],
    [{ project: newId(), model: 'gpt' }, 'input'],
    [{ all: false }, 'input.all'],
    [{ all: false, model: 'gpt' }, 'input.all'],
    [{ model: '' }, 'input.model'],
    [{ model: 'a\0' }, 'input.model'],
    [{ model: 'm'.repeat(5_000) }, 'input.model'],
    [{ models: ['gpt'] }, 'input.models'],
  ] as const) {
    test(`is refused: ${JSON.stringify(input).slice(0, 80)}`, () =>
      assert.rejects(purge(stage.control, input), { code: 'BAD_USER_INPUT', field }))
  }

  test('of a project that there is not, nothing is purged', async () => {
    for (const project of [newId(), 'no id', ''])
      await assert.rejects(purge(stage.control, { project }), { code: 'NOT_FOUND', field: 'input.project' })
  })

  test('without a proxy nothing goes', async () => {
    assert.equal(await purge(stage.control, { all: true }), 0)
  })

  test('is told to proxies in one order with all else, and again to who was away', async () => {
    const { control } = stage
    const alias = await createAlias(
      control,
      uniqueName('alias'),
      await createProvider(control, null, { kind: 'SIMULATED' }),
    )
    const project = await createProject(control)
    const model = uniqueName('model')
    const told = ({ instructions }: Carrier, from: number): unknown =>
      instructions
        .slice(from)
        .map(({ clearStickyBindings, purgeCache }) => [
          clearStickyBindings?.aliasId ?? null,
          purgeCache && { ...purgeCache },
        ])
    await using online = new Carrier(control, forgets(0))
    await online.begin()
    await purged(control, { all: true }, 0)
    await waitFor(() => online.instructions.length > 0)
    const before = online.instructions.length
    await purge(control, { project: project.toUpperCase() })
    await control.gql(CLEAR, { alias })
    await purge(control, { model })
    await purge(control, { all: true })
    const expected = [
      [null, { projectId: project, model: null }],
      [alias, null],
      [null, { projectId: null, model }],
      [null, { projectId: null, model: null }],
    ]
    await waitFor(() => online.instructions.length === before + 4, { what: 'four instructions' })
    assert.deepEqual(told(online, before), expected)
    await using back = new Carrier(control, () => undefined)
    await waitFor(() => back.instructions.length === online.instructions.length, { what: 'those of before' })
    assert.deepEqual(told(back, before), expected)
    assert.deepEqual(
      back.instructions.map(({ id }) => id),
      online.instructions.map(({ id }) => id),
    )
  })

  test('is audited, and makes no revision', async () => {
    const { control } = stage
    const { it: newest } = await control.gql(documents.NEWEST_REVISION)
    const name = uniqueName('project')
    const project = await createProject(control, name)
    const model = uniqueName('model')
    for (const input of [{ project }, { model }, { all: true }]) await purge(control, input)
    assert.equal((await control.gql(documents.NEWEST_REVISION))['it'].number, newest.number + 1)
    const { it } = await control.gql(documents.AUDIT)
    const [all, ofModel, ofProject] = it.edges.map(({ node }: any) => node)
    for (const { actor, action, result } of [all, ofModel, ofProject])
      assert.deepEqual([actor, action, result], ['first admin', 'purgeCache', 'SUCCESS'])
    assert.deepEqual([all.subject, all.project, all.details.all], ['all answers', null, true])
    assert.deepEqual([ofModel.subject, ofModel.project, ofModel.details.model], [`model ${model}`, null, model])
    assert.deepEqual([ofProject.subject, ofProject.project.id], [`project ${name}`, project])
  })

  test('a key that is bound purges its own projects alone', async () => {
    const { control } = stage
    const [own, other] = [await createProject(control), await createProject(control)]
    const { it: key } = await control.gql(CREATE_KEY, { name: uniqueName('key'), projects: [own] })
    await purge(control, { project: own }, key.secret)
    await assert.rejects(purge(control, { project: other }, key.secret), { code: 'NOT_FOUND', field: 'input.project' })
    for (const input of [{ all: true }, { model: 'gpt' }])
      await assert.rejects(purge(control, input, key.secret), { code: 'FORBIDDEN' })
  })

  test('waits for every process of every proxy that is online, and says how many they have told', async () => {
    const { control } = stage
    await alone(control)
    const processes = [newId(), newId()]
    await using one = new Carrier(control, forgets(5))
    await using other = new Carrier(control, async ({ id, purgeCache }, carrier) => {
      if (purgeCache === null) return
      const [first, last] = processes as [string, string]
      await carrier.tell(id, { process: first, processes: 2, count: 70 })
      // Told again, it counts once.
      await carrier.tell(id, { process: first, processes: 2, count: 900 })
      await carrier.tell(id, { process: last, processes: 2, count: 600 })
    })
    await one.begin()
    await other.begin()
    await purged(control, { all: true }, 675)
    assert.equal(await one.tell(other.instructions.at(-1)!.id), true)
  })

  test('does not wait for longer than two seconds for a proxy that does not tell', async () => {
    const { control } = stage
    await alone(control)
    await using one = new Carrier(control, forgets(5))
    await using silent = new Carrier(control, () => undefined)
    await one.begin()
    await silent.begin()
    await waitFor(
      async () => {
        const began = performance.now()
        const count = await purge(control, { all: true })
        const took = performance.now() - began
        assert.ok(took > 1_900, `${took} ms`)
        return count === 5 && took < 3_000
      },
      { timeoutMs: 30_000, what: 'an answer after two seconds' },
    )
  })

  test('holds up nobody while it waits', async () => {
    const { control } = stage
    await using silent = new Carrier(control, () => undefined)
    await silent.begin()
    await waitFor(
      async () => {
        let waits = true
        const purging = purge(control, { all: true }).finally(() => (waits = false))
        await createProject(control)
        const waited = waits
        await purging
        return waited
      },
      { timeoutMs: 30_000, what: 'a change within the two seconds' },
    )
  })

  test('takes any name that a model may have, and tells it as it is kept', async () => {
    const { control } = stage
    await using proxy = new Carrier(control, forgets(0))
    await proxy.begin()
    const names = ['\u4e00'.repeat(4_096), 'half \ud800', '__proto__', ' ']
    await Promise.all(names.map((model) => purge(control, { model })))
    const kept = names.map((name) => name.toWellFormed()).sort()
    const { it } = await control.gql(documents.AUDIT)
    const audited = it.edges.slice(0, names.length).map(({ node }: any) => [node.subject, node.details.model])
    assert.deepEqual(
      audited.sort(),
      kept.map((name) => [`model ${name}`, name]),
    )
    const told = (): string[] =>
      proxy.instructions.slice(-names.length).map(({ purgeCache }) => String(purgeCache?.model))
    await waitFor(() => told().sort().join('\n') === kept.join('\n'), { what: 'all to be told' })
  })

  test('what cannot be is not taken from proxies, nor what nobody has asked for', async () => {
    await using proxy = new Carrier(stage.control, () => undefined)
    assert.equal(await proxy.tell(newId()), false)
    for (const [done, field] of [
      [{ proxy: 'x' }, 'proxy'],
      [{ process: 'x' }, 'process'],
      [{ processes: 0 }, 'processes'],
      [{ processes: 1_001 }, 'processes'],
      [{ count: -1 }, 'count'],
      [{ count: 2 ** 31 }, 'count'],
    ] as const)
      await assert.rejects(proxy.tell(newId(), done), { code: 'BAD_USER_INPUT', field })
    await assert.rejects(proxy.tell('x'), { code: 'BAD_USER_INPUT', field: 'instruction' })
  })
})

const server = await startPostgres()
const skip = 'skip' in server ? server.skip : false
after(async () => {
  if (!('skip' in server)) await server[Symbol.asyncDispose]()
})

describe('several control processes', { skip }, () => {
  test('are told by proxies of each other what is purged', async () => {
    await using database = await ('skip' in server ? assert.fail() : server.createDatabase())
    await using one = await startControl({ databaseUrl: database.url })
    await using other = await startControl({ databaseUrl: database.url, dataDir: one.dataDir })
    await using here = new Carrier(one, forgets(3))
    await using there = new Carrier(other, forgets(40), one.proxyKey)
    await here.begin()
    await there.begin()
    for (const control of [one, other])
      await waitFor(async () => (await control.gql<any>(PURGE, { input: { all: true } }, one.adminKey)).it === 43, {
        timeoutMs: 30_000,
        what: 'both to be heard of',
      })
  })

  test('keep a purge for an hour, and tell proxies of none that is older', async () => {
    await using own = await ('skip' in server ? assert.fail() : server.createDatabase())
    await using control = await startControl({ databaseUrl: own.url })
    {
      await using proxy = new Carrier(control, forgets(1))
      await proxy.begin()
      for (const model of ['old', 'young']) await purged(control, { model }, 1)
    }
    await own.query("update cache_purge set at = at - interval '1 hour' where model = 'old'")
    await control.restart()
    await using back = new Carrier(control, () => undefined)
    await waitFor(() => back.instructions.length > 0, { what: 'an instruction' })
    await purge(control, { model: 'new' })
    const models = (): unknown[] => [...new Set(back.instructions.map(({ purgeCache }) => purgeCache!.model))]
    await waitFor(() => models().includes('new'), { what: 'the newest' })
    assert.deepEqual(models(), ['young', 'new'])

    const database = await openServer(own.url, pino({ level: 'silent' }))
    await using _closing = { [Symbol.asyncDispose]: () => database.close() }
    await forgetPurges(database)
    const [stored] = await own.query(
      `select array(select distinct model from cache_purge order by model) as models,
         array(select distinct model from purge_done left join cache_purge on id = purge_id) as done`,
    )
    assert.deepEqual(stored, { models: ['new', 'young'], done: ['young'] })
  })
})
