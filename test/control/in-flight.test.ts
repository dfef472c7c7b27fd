/** What proxies serve now, and its being ended: asked of them, whatever they answer, on each database. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'

import { MAX_IN_FLIGHT, newId, newMasterKey, type InFlight } from '@millrace/shared'

import { createProject, createToken } from '../helpers/configuration.ts'
import { startControl, type ControlProcess } from '../helpers/control.ts'
import { uniqueName } from '../helpers/names.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { Answerer, inFlight, serving } from './answerer.ts'
import * as documents from './documents.ts'
import { onEachDatabase } from './suites.ts'

const LIST =
  '{ it: inFlightRequests { id requestId startedAt project { id } token { id } endpoint model provider { id } providerModel stream timeToFirstTokenMs outputTokens costUsd proxyId } }'
const CANCEL = 'mutation ($id: ID!) { it: cancelRequest(id: $id) }'
const CREATE_KEY =
  'mutation ($name: String!, $projects: [ID!]) { it: createAdminKey(name: $name, role: EDITOR, projects: $projects) { secret adminKey { id } } }'
/** Ten times the second for which proxies are waited for. */
const IN_TIME_MS = 10_000

async function list(control: ControlProcess, key = control.adminKey): Promise<any[]> {
  return (await within(IN_TIME_MS, 'the list', control.gql<{ it: any[] }>(LIST, {}, key))).it
}
async function ids(control: ControlProcess, key = control.adminKey): Promise<string[]> {
  return (await list(control, key)).map(({ id }) => id)
}
async function cancel(control: ControlProcess, id: string, key = control.adminKey): Promise<boolean> {
  return (await within(IN_TIME_MS, 'a cancel', control.gql<{ it: boolean }>(CANCEL, { id }, key))).it
}
/** Asserts that these are told. In the second that is waited, a busy machine may not get round to what proxies answer. */
async function told(control: ControlProcess, expected: readonly string[], key = control.adminKey): Promise<any[]> {
  const found = await waitFor(
    async () => {
      const all = await list(control, key)
      return (all.length >= expected.length || all.some(({ id }) => !expected.includes(id))) && all
    },
    { what: 'all that are served' },
  )
  assert.deepEqual(
    found.map(({ id }) => id),
    expected,
  )
  return found
}
/** Waits until no proxy of another test is waited for any more. */
function alone(control: ControlProcess): Promise<unknown> {
  return waitFor(
    async () => !(await control.gql('{ proxies { online } }'))['proxies'].some(({ online }: any) => online),
    { timeoutMs: 20_000, what: 'the other proxies to be gone' },
  )
}
const agoMs = (ms: number): string => new Date(Date.now() - ms).toISOString()

await onEachDatabase((stage) => {
  test('without a proxy there is nothing, at once', async () => {
    const { control } = stage
    await alone(control)
    assert.deepEqual(await ids(control), [])
    assert.equal(await cancel(control, newId()), false)
    for (const id of ['', 'no id', `${newId()}0`]) await assert.rejects(cancel(control, id), { code: 'NOT_FOUND' })
  })

  test('all of what several proxies serve is told, the longest running first', async () => {
    const { control } = stage
    const project = await createProject(control)
    const token = await createToken(control, { project })
    const known = inFlight({ startedAt: agoMs(3_000), projectId: project, tokenId: token.id })
    const early = inFlight({
      startedAt: agoMs(9_000),
      model: '',
      providerModel: null,
      timeToFirstTokenMs: null,
      costUsd: null,
    })
    const [younger, youngest] = [inFlight({ startedAt: agoMs(2_000) }), inFlight({ startedAt: agoMs(1_000) })]
    await using one = new Answerer(control, serving([early, younger]))
    await using other = new Answerer(control, serving([known, youngest]))
    await one.begin()
    await other.begin()
    const [first, second] = await told(control, [early.id, known.id, younger.id, youngest.id])
    const { userKey: _, aliasId: __, projectId: ___, tokenId: ____, providerId: _____, ...plain } = early
    assert.deepEqual(first, { ...plain, project: null, token: null, provider: null })
    assert.deepEqual([second.id, second.project.id, second.token.id], [known.id, project, token.id])
    assert.deepEqual([second.timeToFirstTokenMs, second.costUsd], [12.5, '0.00012'])
    assert.equal(await cancel(control, younger.id.toUpperCase()), true)
    await told(control, [early.id, known.id, youngest.id])
    assert.equal(await cancel(control, younger.id), false)
    assert.ok(one.questions.filter(({ cancel: ends }) => ends).length === 1, 'a second cancel is not even asked')
  })

  test('a cancel is audited, and makes no revision', async () => {
    const { control } = stage
    const project = await createProject(control)
    const request = inFlight({ projectId: project, requestId: uniqueName('audited'), model: 'the-model' })
    const { it: newest } = await control.gql(documents.NEWEST_REVISION)
    await using proxy = new Answerer(control, serving([request]))
    await proxy.begin()
    assert.equal(await cancel(control, request.id), true)
    const { it } = await control.gql(documents.AUDIT)
    const [{ node }] = it.edges
    assert.deepEqual(
      [node.actor, node.action, node.subject, node.result, node.project.id],
      ['first admin', 'cancelRequest', `request ${request.id}`, 'SUCCESS', project],
    )
    const { requestId, model, proxy: on } = node.details
    assert.deepEqual([requestId, model, on], [request.requestId, 'the-model', request.proxyId])
    assert.equal((await control.gql(documents.NEWEST_REVISION))['it'].number, newest.number)
  })

  test('a key that is bound sees and ends what is of its own projects alone', async () => {
    const { control } = stage
    const [own, other] = [await createProject(control), await createProject(control)]
    const { it: key } = await control.gql(CREATE_KEY, { name: uniqueName('key'), projects: [own] })
    const requests = [own, other, null].map((projectId, i) => inFlight({ projectId, startedAt: agoMs(3_000 - i) }))
    const [mine, ...others] = requests as [InFlight, InFlight, InFlight]
    // It tells more than was asked for.
    await using careless = new Answerer(control, ({ cancel: ends }) =>
      ends ? { cancelled: true } : { inFlight: requests },
    )
    await careless.begin()
    await told(control, [mine.id], key.secret)
    assert.deepEqual(careless.questions[0]!.projects, [own])
    for (const { id } of others) assert.equal(await cancel(control, id, key.secret), false)
    assert.ok(
      careless.questions.every(({ cancel: ends }) => !ends),
      'nothing was ended',
    )
    assert.equal(await cancel(control, mine.id, key.secret), true)
    await told(
      control,
      requests.map(({ id }) => id),
    )
  })

  test('a key that is revoked while the request is looked for ends nothing', async () => {
    const { control } = stage
    const { it: key } = await control.gql(CREATE_KEY, { name: uniqueName('key') })
    await using proxy = new Answerer(control, async ({ cancel: ends }) => {
      if (ends) return { cancelled: true }
      await control.gql(documents.REVOKE_ADMIN_KEY, { id: key.adminKey.id })
      return { inFlight: [request] }
    })
    const request = inFlight()
    await proxy.begin()
    await assert.rejects(cancel(control, request.id, key.secret), { code: 'UNAUTHENTICATED' })
    assert.ok(
      proxy.questions.every(({ cancel: ends }) => !ends),
      'nothing was ended',
    )
  })

  test('a proxy that does not answer, or not with all of its processes, is waited for in vain, and then no more', async () => {
    const { control } = stage
    const request = inFlight()
    await using silent = new Answerer(control, () => undefined)
    await using half = new Answerer(control, () => ({ processes: 2 }))
    await using good = new Answerer(control, serving([request]))
    for (const proxy of [silent, half, good]) await proxy.begin()
    const began = performance.now()
    await told(control, [request.id])
    assert.ok(performance.now() - began > 900, 'they had their time')
    assert.equal(await cancel(control, request.id), true)
    assert.equal(await silent.tell(silent.questions[0]!.id), false, 'too late')
    await waitFor(() => control.output().stderr.includes('proxies did not answer in time'))
  })

  test('all processes of a proxy are waited for, and each counts once', async () => {
    const { control } = stage
    const [first, second] = [inFlight({ startedAt: agoMs(20) }), inFlight()]
    await using proxy = new Answerer(control, async ({ id }) => {
      await proxy.tell(id, { process: newId(), processes: 2, inFlight: [first] })
      const process = newId()
      await proxy.tell(id, { process, processes: 2, inFlight: [second] })
      return { process, processes: 2, inFlight: [second] }
    })
    await proxy.begin()
    await told(control, [first.id, second.id])
  })

  test('what is malformed is left out, and no more is taken than may be', async () => {
    const { control } = stage
    const many = Array.from({ length: MAX_IN_FLIGHT }, (_, i) => inFlight({ startedAt: agoMs(100_000 - i) }))
    const odd = inFlight({ startedAt: agoMs(200_000), model: 'a\u0000b\ud800' })
    await using proxy = new Answerer(control, () => ({
      inFlight: [odd, { ...inFlight(), outputTokens: -1 }, 7, ...many.slice(0, -3)],
    }))
    await using other = new Answerer(control, () => ({ inFlight: many.slice(-3) }))
    await proxy.begin()
    await other.begin()
    await told(
      control,
      [odd, ...many.slice(0, -1)].map(({ id }) => id),
    )
    const question = proxy.questions[0]!.id
    for (const [field, answer] of [
      ['inFlight', { inFlight: [...many, inFlight()] }],
      ['processes', { processes: 0 }],
      ['process', { process: 'no id' }],
    ] as const)
      await assert.rejects(other.tell(question, answer), { code: 'BAD_USER_INPUT', field })
  })

  test('many who ask at the same time ask proxies a few times', async () => {
    const { control } = stage
    const request = inFlight()
    await using proxy = new Answerer(control, serving([request]))
    await proxy.begin()
    await told(control, [request.id])
    await waitFor(
      async () => {
        const before = proxy.questions.length
        const answers = await Promise.all(Array.from({ length: 50 }, () => ids(control)))
        const asked = proxy.questions.length - before
        assert.ok(asked < 25, `${asked} questions`)
        return answers.every((answer) => answer.join() === request.id)
      },
      { what: 'all to be answered' },
    )
  })
})

const server = await startPostgres()
describe('several control processes on one database', { skip: 'skip' in server ? server.skip : false }, () => {
  after(() => ('skip' in server ? undefined : server[Symbol.asyncDispose]()))

  test('ask each the proxies of all', async () => {
    if ('skip' in server) return
    await using database = await server.createDatabase()
    const env = { MILLRACE_MASTER_KEY: newMasterKey() }
    await using one = await startControl({ databaseUrl: database.url, env })
    await using other = await startControl({ databaseUrl: database.url, env })
    const [here, there]: [InFlight[], InFlight[]] = [[], []]
    await using near = new Answerer(one, serving(here))
    const served = serving(there)
    // It is asked by one, and answers the other.
    await using far: Answerer = new Answerer(
      other,
      async (question) => {
        await far.tell(question.id, served(question), one)
        return undefined
      },
      one.proxyKey,
    )
    await near.begin()
    await far.begin()
    const askers = [one, other].map((control) => ({ control, key: one.adminKey }))
    // Ten times 250 ms each, and some tries, for a machine that has other things to do.
    for (let [tookMs, tries] = [Infinity, 5]; tookMs > 5_000; tries--) {
      assert.ok(tries > 0, `the last two took ${tookMs} ms`)
      const [early, late] = [inFlight({ startedAt: agoMs(5_000) }), inFlight()]
      here.push(early)
      there.push(late)
      for (const { control, key } of askers) await told(control, [early.id, late.id], key)
      const began = performance.now()
      assert.equal(await cancel(other, early.id, one.adminKey), true)
      assert.equal(await cancel(one, late.id, one.adminKey), true)
      tookMs = performance.now() - began
    }
    for (const { control, key } of askers) assert.deepEqual(await ids(control, key), [])
    await database.query("update proxy_question set at = at - interval '2 minutes'")
    await waitFor(async () => (await database.query('select 1 from proxy_question')).length === 0, {
      timeoutMs: 30_000,
      intervalMs: 500,
      what: 'the questions to be deleted',
    })
    assert.deepEqual(await database.query('select 1 from proxy_answer'), [])
  })
})
