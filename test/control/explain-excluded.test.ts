/** What keeps routes from being chosen, by what two proxies report, on each database. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import type { HealthReport } from '@millrace/shared'

import { addCredential, createProject, createProvider, createToken, setBreaker } from '../helpers/configuration.ts'
import type { RouteOptions } from '../helpers/configuration.ts'
import { uniqueName } from '../helpers/names.ts'
import * as documents from './documents.ts'
import { chosen, excluded, Explaining, inMs, type Made } from './explaining.ts'
import { credentialReport, providerReport, ReportedProxy, routeReport } from './reports.ts'
import { onEachDatabase } from './suites.ts'

const URL = 'https://api.example.com/v1'

await onEachDatabase((stage) => {
  const explaining = new Explaining(stage)
  const explain = (input: object): Promise<any> => explaining.explain(input)
  const simulator = (more = {}): Promise<string> => explaining.simulator(more)
  const alias = (routes: RouteOptions[]): Promise<Made> => explaining.alias(routes)
  const ask = async (document: string, variables = {}): Promise<any> =>
    (await stage.control.gql(document, variables)).it

  // The same two for all tests: one that has gone counts for six seconds more.
  let proxies: readonly [ReportedProxy, ReportedProxy]
  before(() => {
    proxies = [new ReportedProxy(stage.control), new ReportedProxy(stage.control)]
  })
  after(() => {
    for (const proxy of proxies) proxy.fallSilent()
  })
  const report = async (one: Partial<HealthReport>, other: Partial<HealthReport>): Promise<void> => {
    await proxies[0].report(one)
    await proxies[1].report(other)
  }
  /** What an explanation says while so many of the two proxies report this. */
  const excludedBy = async (said: Partial<HealthReport>, input: object): Promise<(string | null)[][]> => {
    const found: (string | null)[][] = []
    for (const [one, other] of [
      [{}, {}],
      [said, {}],
      [said, said],
    ] as const) {
      await report(one, other)
      found.push(excluded(await explain(input)))
    }
    return found
  }

  test('what is switched off: a route, a provider, an alias', async () => {
    const [on, off] = [await simulator(), await simulator({ enabled: false })]
    const made = await alias([{ provider: on }, { provider: on, enabled: false }, { provider: off }])
    assert.deepEqual(excluded(await explain({ model: made.name })), [null, 'DISABLED', 'DISABLED'])
    await ask(documents.UPDATE_ALIAS, { id: made.id, input: { enabled: false } })
    const decision = await explain({ model: made.name })
    assert.deepEqual(excluded(decision), ['DISABLED', 'DISABLED', 'DISABLED'])
    assert.deepEqual([decision.selectedRoute, chosen(decision)], [null, -1])
  })

  test('what at least half of the proxies keep from it, whatever keeps it there', async () => {
    const provider = await simulator({ maxConcurrency: 2 })
    const { name, routes } = await alias([{ provider }])
    const cooling = { routes: [routeReport(routes[0]!, { coolingUntil: inMs(60_000) })] }
    const open = { providers: [providerReport(provider, { state: 'OPEN', retryAt: inMs(60_000) })] }
    const full = { providers: [providerReport(provider, { inFlight: 2 })] }
    for (const [said, exclusion] of [
      [cooling, 'COOLING_DOWN'],
      [open, 'BREAKER_OPEN'],
      [full, 'AT_CONCURRENCY_LIMIT'],
    ] as const)
      assert.deepEqual(await excludedBy(said, { model: name }), [[null], [exclusion], [exclusion]], exclusion)
  })

  test('what proxies say, whatever their clocks do', async () => {
    const provider = await simulator()
    const { name, routes } = await alias([{ provider }, { provider: await simulator() }])
    const [first] = routes
    for (const ms of [-3_600_000, 3_600_000]) {
      const open = providerReport(provider, { state: 'OPEN', openedAt: inMs(ms), retryAt: inMs(ms + 5_000) })
      await report({ providers: [open] }, { providers: [open] })
      assert.deepEqual(excluded(await explain({ model: name })), ['BREAKER_OPEN', null])
      const cooling = { routes: [routeReport(first!, { coolingUntil: inMs(ms) })] }
      await report(cooling, cooling)
      assert.deepEqual(excluded(await explain({ model: name })), ['COOLING_DOWN', null])
    }
  })

  test('a provider whose breaker is open, unless all are: then the least bad is tried', async () => {
    const providers = [await simulator(), await simulator(), await simulator()]
    const made = await alias(providers.map((provider) => ({ provider })))
    const open = (provider: string, seconds: number) =>
      providerReport(provider, { state: 'OPEN', openedAt: inMs(0), retryAt: inMs(seconds * 1_000) })
    const said = { providers: [open(providers[0]!, 60), open(providers[1]!, 30)] }
    await report(said, said)
    assert.deepEqual(excluded(await explain({ model: made.name })), ['BREAKER_OPEN', 'BREAKER_OPEN', null])
    await setBreaker(stage.control, providers[2]!, 'FORCED_OPEN')
    const decision = await explain({ model: made.name })
    assert.deepEqual(excluded(decision), ['BREAKER_OPEN', 'BREAKER_OPEN', 'BREAKER_OPEN'])
    assert.equal(chosen(decision), 1)
    await setBreaker(stage.control, providers[0]!, 'FORCED_CLOSED')
    assert.deepEqual(excluded(await explain({ model: made.name })), [null, 'BREAKER_OPEN', 'BREAKER_OPEN'])
    const trying = { providers: [providerReport(providers[1]!, { state: 'HALF_OPEN' })] }
    await report(trying, trying)
    assert.deepEqual(excluded(await explain({ model: made.name })), [null, null, 'BREAKER_OPEN'])
  })

  test('a provider that is addressed directly and cools down', async () => {
    const name = uniqueName('direct')
    const providerId = await simulator({ name, direct: true })
    const { routeId: _, ...figures } = routeReport('', { coolingUntil: inMs(60_000) })
    const said = { direct: [{ providerId, ...figures }] }
    assert.deepEqual(await excludedBy(said, { model: `${name}/m` }), [[null], ['COOLING_DOWN'], ['COOLING_DOWN']])
  })

  test('a route whose upstream keys all cool down, for those who would be served with them', async () => {
    const mine = await createProject(stage.control)
    const theirs = await createProject(stage.control)
    const provider = await createProvider(stage.control, URL, { apiKeys: [] })
    const own = await addCredential(stage.control, provider, 'sk-of-mine', mine)
    const shared = [
      await addCredential(stage.control, provider, 'sk-shared'),
      await addCredential(stage.control, provider, 'sk-shared-too'),
    ]
    const { name } = await alias([{ provider }])
    const cooling = (ids: readonly string[]) =>
      ids.map((credentialId) => credentialReport(credentialId, { coolingUntil: inMs(60_000) }))
    for (const [credentials, ofMine, ofTheirs] of [
      [cooling([own]), 'COOLING_DOWN', null],
      [cooling([shared[0]!]), null, null],
      [cooling(shared), null, 'COOLING_DOWN'],
      [[], null, null],
    ] as const) {
      await report({ credentials: [...credentials] }, { credentials: [...credentials] })
      assert.deepEqual(excluded(await explain({ model: name, project: mine })), [ofMine])
      assert.deepEqual(excluded(await explain({ model: name, project: theirs })), [ofTheirs])
    }
  })

  test('a provider none of whose keys can be used in the proxies', async () => {
    const mine = await createProject(stage.control)
    const provider = await createProvider(stage.control, URL, { apiKeys: [] })
    const keys = [
      await addCredential(stage.control, provider, 'env:NOT_SET_API_KEY', mine),
      await addCredential(stage.control, provider, 'sk-shared'),
    ]
    const { name } = await alias([{ provider }])
    const unusable = (ids: readonly string[]) => ({
      credentials: ids.map((credentialId) => credentialReport(credentialId, { unusable: true })),
    })
    const ofMine = { model: name, project: mine }
    const none = [[null], ['NO_CREDENTIAL'], ['NO_CREDENTIAL']]
    assert.deepEqual(await excludedBy(unusable([keys[0]!]), ofMine), none, 'the shared one is not for it')
    assert.deepEqual(await excludedBy(unusable([keys[0]!]), { model: name }), [[null], [null], [null]])
    assert.deepEqual(await excludedBy(unusable([keys[1]!]), ofMine), [[null], [null], [null]])
    assert.deepEqual(await excludedBy(unusable([keys[1]!]), { model: name }), none)
    await addCredential(stage.control, provider, 'sk-of-mine', mine)
    assert.deepEqual(await excludedBy(unusable([keys[0]!]), ofMine), [[null], [null], [null]], 'its other one is left')
  })

  test('a provider without a key that serves the project, where it needs one', async () => {
    const [mine, theirs] = [await createProject(stage.control), await createProject(stage.control)]
    const providers = [
      await createProvider(stage.control, URL, { kind: 'OPENAI', apiKeys: [] }),
      await createProvider(stage.control, URL, { apiKeys: [] }),
      await createProvider(stage.control, URL, { apiKeys: [] }),
      await createProvider(stage.control, URL),
    ]
    await addCredential(stage.control, providers[2]!, 'sk-of-mine', mine)
    const made = await alias(providers.map((provider) => ({ provider })))
    const none = 'NO_CREDENTIAL'
    for (const [project, expected] of [
      [mine, [none, null, null, null]],
      [theirs, [none, null, none, null]],
      [null, [none, null, none, null]],
    ] as const)
      assert.deepEqual(excluded(await explain({ model: made.name, project })), expected)
  })

  test("all but the provider that a client's own key is for, where its token may bring one", async () => {
    const project = await createProject(stage.control)
    const { id: may } = await createToken(stage.control, { project, access: { ownKeys: true } })
    const { id: mayNot } = await createToken(stage.control, { project })
    const named = uniqueName('named')
    const bare = await createProvider(stage.control, URL, { kind: 'OPENAI', apiKeys: [] })
    const cooling = await createProvider(stage.control, URL, { name: named, apiKeys: [] })
    const key = await addCredential(stage.control, cooling, 'sk-shared')
    const { name } = await alias([{ provider: bare }, { provider: cooling }])
    const said = { credentials: [credentialReport(key, { coolingUntil: inMs(60_000) })] }
    await report(said, said)
    const own = { 'x-millrace-upstream-key': 'sk-own' }
    const none = 'NO_CREDENTIAL'
    for (const [token, headers, expected] of [
      [may, {}, [none, 'COOLING_DOWN']],
      [may, own, [null, null]],
      [may, { 'X-Millrace-Upstream-Key': 'sk-own', 'X-Millrace-Provider': named }, [none, null]],
      [may, { ...own, 'x-millrace-provider': 'another' }, [none, none]],
      [may, { ...own, 'x-millrace-provider': '' }, [null, null]],
      [may, { 'x-millrace-upstream-key': '' }, [none, 'COOLING_DOWN']],
      [mayNot, { ...own, 'x-millrace-provider': named }, [none, 'COOLING_DOWN']],
      [null, own, [none, 'COOLING_DOWN']],
    ] as const)
      assert.deepEqual(excluded(await explain({ model: name, token, headers })), expected, JSON.stringify(headers))
  })

  test('every route, where the endpoint is none that is routed', async () => {
    const made = await alias([{ provider: await simulator() }])
    assert.deepEqual(excluded(await explain({ model: made.name, endpoint: '/v1/audio/speech' })), [
      'UNSUPPORTED_ENDPOINT',
    ])
  })

  test('a route to a provider that has nothing for the endpoint', async () => {
    const claude = await createProvider(stage.control, null, { kind: 'ANTHROPIC' })
    const made = await alias([{ provider: claude }, { provider: await simulator() }])
    for (const [endpoint, expected] of [
      ['/v1/embeddings', ['UNSUPPORTED_ENDPOINT', null]],
      ['/v1/messages/count_tokens', [null, null]],
      ['/v1/responses', [null, null]],
    ] as const)
      assert.deepEqual(excluded(await explain({ model: made.name, endpoint })), expected, endpoint)
  })

  // The last, since the third counts for six seconds more.
  test('of three proxies what two keep from it, for the reason that most of them have', async () => {
    const provider = await simulator()
    const { name, routes } = await alias([{ provider }])
    const cooling = { routes: [routeReport(routes[0]!, { coolingUntil: inMs(60_000) })] }
    const open = { providers: [providerReport(provider, { state: 'OPEN', retryAt: inMs(60_000) })] }
    await using third = new ReportedProxy(stage.control)
    for (const [said, expected] of [
      [[cooling, {}, {}], null],
      [[cooling, cooling, {}], 'COOLING_DOWN'],
      [[cooling, open, open], 'BREAKER_OPEN'],
    ] as const) {
      await report(said[0], said[1])
      await third.report(said[2])
      assert.deepEqual(excluded(await explain({ model: name })), [expected])
    }
  })
})
