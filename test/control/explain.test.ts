/** Where a request would go, on each database. What proxies do in earnest stands in test/proxy/. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { newId } from '@millrace/shared'

import { createProject, createProvider, createToken, setBreaker } from '../helpers/configuration.ts'
import type { AliasOptions, RouteOptions } from '../helpers/configuration.ts'
import { uniqueName } from '../helpers/names.ts'
import * as documents from './documents.ts'
import { chosen, excluded, Explaining, type Made } from './explaining.ts'
import { onEachDatabase } from './suites.ts'

await onEachDatabase((stage) => {
  const explaining = new Explaining(stage)
  const explain = (input: object): Promise<any> => explaining.explain(input)
  const simulator = (more = {}): Promise<string> => explaining.simulator(more)
  const alias = (routes: RouteOptions[], options?: AliasOptions, name?: string): Promise<Made> =>
    explaining.alias(routes, options, name)
  const ask = async (document: string, variables = {}): Promise<any> =>
    (await stage.control.gql(document, variables)).it

  test('an explanation is a decision of no request', async () => {
    const provider = await simulator({ name: uniqueName('named') })
    const made = await alias([{ provider, providerModel: 'upstream-model', weight: 3 }])
    const { id, at, configRevision, candidates, ...rest } = await explain({ model: made.name })
    assert.notEqual(id, (await explain({ model: made.name })).id)
    assert.ok(Math.abs(Date.now() - Date.parse(at)) < 60_000)
    assert.equal(configRevision, (await ask(documents.NEWEST_REVISION)).number)
    assert.deepEqual(rest, {
      requestId: null,
      model: made.name,
      strategy: 'WEIGHTED',
      errorClass: null,
      upstreamStatus: null,
      latencyMs: null,
      fallbackUsed: false,
      userKey: null,
      conversationKey: null,
      alias: { id: made.id, name: made.name },
      project: null,
      token: null,
      selectedRoute: { id: made.routes[0] },
      attempts: [],
      sticky: {
        scope: 'NONE',
        key: null,
        hit: false,
        action: 'NONE',
        backend: 'memory',
        boundAt: null,
        expiresAt: null,
      },
    })
    const [{ providerName, ...candidate }] = candidates
    assert.match(providerName, /^named-/)
    assert.deepEqual(candidate, {
      routeId: made.routes[0],
      providerModel: 'upstream-model',
      priority: 0,
      weight: 3,
      score: 3,
      excluded: null,
      selected: true,
      route: { id: made.routes[0] },
      provider: { id: provider, name: providerName },
    })
  })

  describe('the model is', () => {
    test("the project's own alias, a global one, a wildcard, or a provider's", async () => {
      const project = await createProject(stage.control)
      const { id: token } = await createToken(stage.control, { project })
      const name = uniqueName('provider')
      const provider = await simulator({ name, direct: true })
      const stem = uniqueName('stem')
      const made = async (of: string, providerModel = 'is-*', options: AliasOptions = {}): Promise<string> =>
        (await alias([{ provider, providerModel }], options, of)).id
      const own = await made(`${stem}-a*`, 'is-*', { project })
      const shared = await made(`${stem}-a*`)
      const longer = await made(`${stem}-ab*`)
      const exact = await made(`${stem}-abc`, 'exactly')
      for (const [model, sender, id, providerModel] of [
        [`${stem}-ax`, { token }, own, 'is-x'],
        [`${stem}-ax`, { project }, own, 'is-x'],
        [`${stem}-ax`, {}, shared, 'is-x'],
        [`${stem}-abx`, { token }, longer, 'is-x'],
        [`${stem}-abc`, { token }, exact, 'exactly'],
      ] as const) {
        const decision = await explain({ model, ...sender })
        assert.deepEqual([decision.alias.id, decision.candidates[0].providerModel], [id, providerModel], model)
      }
      const direct = await explain({ model: `${name}/some/model`, token })
      assert.deepEqual(
        [direct.alias, direct.strategy, direct.selectedRoute, direct.project.id, direct.token.id],
        [null, null, null, project, token],
      )
      const [candidate] = direct.candidates
      assert.deepEqual(
        [candidate.routeId, candidate.provider.id, candidate.providerModel, candidate.selected],
        [null, provider, 'some/model', true],
      )
    })

    test('refused where there is none, and so is who or what else is not there', async () => {
      const made = await alias([])
      const project = await createProject(stage.control)
      const { id: token } = await createToken(stage.control, { project })
      const other = await createProject(stage.control)
      for (const [input, code, field] of [
        [{ model: uniqueName('nothing') }, 'NOT_FOUND', 'input.model'],
        [{ model: '' }, 'BAD_USER_INPUT', 'input.model'],
        [{ model: made.name, token: newId() }, 'NOT_FOUND', 'input.token'],
        [{ model: made.name, project: newId() }, 'NOT_FOUND', 'input.project'],
        [{ model: made.name, project: other, token }, 'BAD_USER_INPUT', 'input.project'],
        [{ model: made.name, configRevision: 1_000_000 }, 'NOT_FOUND', 'input.configRevision'],
        [{ model: made.name, headers: { a: 1 } }, 'BAD_USER_INPUT', 'input.headers.a'],
        [{ model: made.name, headers: 'x' }, 'BAD_USER_INPUT', 'input.headers'],
        [{ model: made.name, body: [] }, 'BAD_USER_INPUT', 'input.body'],
      ] as const)
        await assert.rejects(explain(input), { code, field }, JSON.stringify(input))
    })
  })

  test('an older revision is explained as it was, by what is known now', async () => {
    const provider = await simulator()
    const made = await alias(
      [
        { provider, weight: 1 },
        { provider, weight: 0 },
      ],
      {},
      uniqueName('changing'),
    )
    const { number } = await ask(documents.NEWEST_REVISION)
    await ask(documents.UPDATE_ROUTE, { id: made.routes[0], input: { enabled: false } })
    await ask(documents.UPDATE_ALIAS, { id: made.id, input: { strategy: 'RANDOM' } })
    await setBreaker(stage.control, provider, 'FORCED_CLOSED')
    const now = await explain({ model: made.name })
    assert.deepEqual([excluded(now), chosen(now), now.strategy], [['DISABLED', null], 1, 'RANDOM'])
    for (let i = 0; i < 2; i++) {
      const then = await explain({ model: made.name, configRevision: number })
      assert.deepEqual([excluded(then), chosen(then), then.strategy], [[null, null], 0, 'WEIGHTED'])
      assert.equal(then.configRevision, number)
    }
    await assert.rejects(explain({ model: made.name, configRevision: number - 1 }), {
      code: 'NOT_FOUND',
      field: 'input.model',
    })
    const project = await createProject(stage.control)
    const { id: token } = await createToken(stage.control, { project })
    assert.equal((await explain({ model: made.name, token })).project.id, project)
    await assert.rejects(explain({ model: made.name, token, configRevision: number }), {
      code: 'NOT_FOUND',
      field: 'input.configRevision',
      message: new RegExp(`at revision ${number} there was no project of this token`),
    })
  })

  test('nothing is sent, counted or kept', async () => {
    let connections = 0
    await using server = createServer((_, response) => void response.end()).on('connection', () => connections++)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const provider = await createProvider(
      stage.control,
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    )
    const made = await alias([{ provider }], { sticky: { scope: 'USER' } })
    const project = await createProject(stage.control)
    const state = async (): Promise<unknown> =>
      stage.control.gql(
        `query ($alias: ID!) {
          requests(first: 3) { edges { node { id } } } routeDecisions(first: 3) { edges { node { id } } }
          stickyBindings(alias: $alias) { key } auditEvents(first: 3) { edges { node { id } } }
          configRevision { number } providers { id health { windowRequests inFlight } }
        }`,
        { alias: made.id },
      )
    const before = await state()
    for (let i = 0; i < 20; i++) {
      const decision = await explain({ model: made.name, project, userKey: 'ann', body: { messages: [] } })
      assert.deepEqual([chosen(decision), decision.sticky.action], [0, 'BIND'])
    }
    assert.deepEqual(await state(), before)
    assert.equal(connections, 0)
  })

  test('explanations are given while more are asked for and the configuration goes on changing', async () => {
    const { name, routes } = await alias([{ provider: await simulator() }])
    const asked: Promise<unknown>[] = []
    let answered = 0
    const [until, latest] = [performance.now() + 3_000, performance.now() + 60_000]
    const goesOn = (): boolean => performance.now() < (answered > 0 ? until : latest)
    const change = async (): Promise<void> => {
      for (let weight = 1; goesOn(); weight++) await ask(documents.UPDATE_ROUTE, { id: routes[0], input: { weight } })
    }
    const changes = change()
    while (goesOn()) {
      asked.push(explain({ model: name }).then(() => answered++))
      await sleep(50)
    }
    assert.ok(answered > 0, 'the first need not wait for the last')
    await Promise.all([changes, ...asked])
  })
})
