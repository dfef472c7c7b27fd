/** How providers do, put together from what proxies report, on each database. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { bucketOf, newId, REPORT_PROXY_MUTATION } from '@millrace/shared'

import { createProject, createProvider, setBreaker } from '../helpers/configuration.ts'
import { uniqueName } from '../helpers/names.ts'
import { waitFor, within } from '../helpers/wait.ts'
import { begun } from './begun.ts'
import * as documents from './documents.ts'
import { providerReport, ReportedProxy } from './reports.ts'
import { onEachDatabase } from './suites.ts'

const HEALTH = `state windowRequests windowErrors errorRate inFlight latencyP50Ms latencyP95Ms timeToFirstTokenP50Ms
  openedAt retryAt lastError lastErrorAt`
const CHANGES = `subscription { it: providerHealth { id name health { ${HEALTH} } } }`
/** Of a provider that nobody has asked. */
const IDLE = {
  state: 'CLOSED',
  windowRequests: 0,
  windowErrors: 0,
  errorRate: 0,
  inFlight: 0,
  latencyP50Ms: null,
  latencyP95Ms: null,
  timeToFirstTokenP50Ms: null,
  openedAt: null,
  retryAt: null,
  lastError: null,
  lastErrorAt: null,
}

/** Of a proxy, but for its health. */
const REPORT = {
  id: newId(),
  version: '0.0.1',
  startedAt: '2026-01-01T00:00:00Z',
  configRevision: 1,
  inFlight: 0,
  requestsPerSecond: 0,
  recordsQueued: 0,
  recordsDropped: 0,
}

await onEachDatabase((stage) => {
  const provider = (): Promise<string> => createProvider(stage.control, null, { kind: 'SIMULATED' })
  const healthOf = async (id: string): Promise<any> =>
    (await stage.control.gql(`query ($id: ID) { provider(id: $id) { health { ${HEALTH} } } }`, { id })).provider.health
  const moment = (second: number): string => new Date(Date.UTC(2030, 0, 1, 0, 0, second)).toISOString()

  test('a provider that no proxy speaks of is well', async () => {
    assert.deepEqual(await healthOf(await provider()), IDLE)
  })

  test('what a provider said last is not for keys that are bound: it may repeat what another project asked', async () => {
    const id = await provider()
    const project = await createProject(stage.control)
    const { it: key } = await stage.control.gql(
      'mutation ($name: String!, $projects: [ID!]) { it: createAdminKey(name: $name, role: ADMIN, projects: $projects) { secret } }',
      { name: uniqueName('bound'), projects: [project] },
    )
    await using proxy = new ReportedProxy(stage.control)
    const said = { windowErrors: 7, lastError: 'what does "a merger" mean?', lastErrorAt: moment(1) }
    await proxy.report({ providers: [providerReport(id, said)] })
    const query = `query ($id: ID) { provider(id: $id) { health { ${HEALTH} } } }`
    const shown = { ...(await healthOf(id)) }
    assert.equal(shown.lastError, said.lastError)
    const { provider: found } = await stage.control.gql(query, { id }, key.secret)
    assert.deepEqual(found.health, { ...shown, lastError: null })
  })

  test('what two proxies say is put together', async () => {
    const id = await provider()
    await using one = new ReportedProxy(stage.control)
    await using other = new ReportedProxy(stage.control)
    await one.report({
      providers: [
        providerReport(id, {
          state: 'OPEN',
          windowRequests: 30,
          windowErrors: 20,
          inFlight: 2,
          latency: [[bucketOf(100), 98]],
          timeToFirstToken: [[bucketOf(10), 1]],
          openedAt: moment(10),
          retryAt: moment(15),
          lastError: 'older\0',
          lastErrorAt: moment(1),
        }),
        providerReport(newId(), { windowRequests: 1_000 }),
      ],
    })
    await other.report({
      providers: [
        providerReport(id, {
          state: 'HALF_OPEN',
          windowRequests: 10,
          inFlight: 3,
          latency: [[bucketOf(5_000), 102]],
          openedAt: moment(9),
          retryAt: moment(11),
          lastError: 'newer',
          lastErrorAt: moment(2),
        }),
      ],
    })
    const { latencyP50Ms, latencyP95Ms, timeToFirstTokenP50Ms, ...rest } = await healthOf(id)
    assert.deepEqual(rest, {
      state: 'OPEN',
      windowRequests: 40,
      windowErrors: 20,
      errorRate: 0.5,
      inFlight: 5,
      openedAt: moment(9),
      retryAt: moment(15),
      lastError: 'newer',
      lastErrorAt: moment(2),
    })
    for (const [found, expected] of [
      [latencyP50Ms, 5_000],
      [latencyP95Ms, 5_000],
      [timeToFirstTokenP50Ms, 10],
    ])
      assert.ok(Math.abs(found / expected - 1) <= 0.05, `${found} is about ${expected}`)

    await one.report({ providers: [providerReport(id, { lastError: 'o\0', lastErrorAt: moment(3) })] })
    const after = await healthOf(id)
    assert.deepEqual([after.state, after.lastError, after.errorRate], ['HALF_OPEN', 'o\uFFFD', 0])
    assert.deepEqual([after.openedAt, after.retryAt], [moment(9), moment(11)])
  })

  test('all providers of an operation are told of', async () => {
    const ids = [await provider(), await provider()]
    await using proxy = new ReportedProxy(stage.control)
    await proxy.report({ providers: ids.map((id, i) => providerReport(id, { inFlight: i + 1 })) })
    const { providers } = await stage.control.gql('{ providers { id health { inFlight } } }')
    assert.deepEqual(
      ids.map((id) => providers.find((one: any) => one.id === id).health.inFlight),
      [1, 2],
    )
  })

  test('a proxy that has gone counts no more', async () => {
    const id = await provider()
    const proxy = new ReportedProxy(stage.control)
    await proxy.report({ providers: [providerReport(id, { state: 'OPEN', inFlight: 7 })] })
    assert.equal((await healthOf(id)).inFlight, 7)
    await using events = stage.control.subscribe<any>(CHANGES)
    const first = events.next()
    proxy.fallSilent()
    await waitFor(async () => (await healthOf(id)).state === 'CLOSED', { timeoutMs: 20_000 })
    assert.deepEqual(await healthOf(id), IDLE)
    // Those of other tests go as well.
    let told = (await within(10_000, 'its going', first)).value.it
    while (told.id !== id) told = (await within(10_000, 'its going', events.next())).value.it
    assert.deepEqual({ ...told.health }, IDLE)
  })

  test('a report without sense is refused, and names what is wrong', async () => {
    for (const health of ['x', [], { providers: [{ providerId: 'x' }], routes: [] }, { providers: [] }]) {
      await assert.rejects(
        stage.control.gql(REPORT_PROXY_MUTATION, { report: { ...REPORT, health } }, stage.control.proxyKey),
        { code: 'BAD_USER_INPUT', field: 'report.health' },
      )
    }
  })

  test('a proxy of an older version, which says nothing of health, is taken as it is', async () => {
    const id = newId()
    for (const health of [undefined, null, { providers: [], routes: [] }]) {
      await stage.control.gql(REPORT_PROXY_MUTATION, { report: { ...REPORT, id, health } }, stage.control.proxyKey)
      assert.deepEqual(await healthOf(await provider()), IDLE)
    }
    const { proxies } = await stage.control.gql('{ proxies { id version online } }')
    assert.deepEqual(
      proxies.find((proxy: any) => proxy.id === id),
      { id, version: REPORT.version, online: true },
    )
  })

  describe('setBreaker', () => {
    const SET = `mutation ($provider: ID!, $state: BreakerState!) {
      it: setBreaker(provider: $provider, state: $state) { ${HEALTH} }
    }`
    const set = async (id: string, state: string): Promise<any> =>
      (await stage.control.gql(SET, { provider: id, state })).it

    test('tells the state that it has set, over what proxies report', async () => {
      const id = await provider()
      await using proxy = new ReportedProxy(stage.control)
      await proxy.report({ providers: [providerReport(id, { state: 'OPEN', windowRequests: 4, windowErrors: 4 })] })
      const forced = await set(id, 'FORCED_CLOSED')
      assert.deepEqual([forced.state, forced.errorRate], ['FORCED_CLOSED', 1])
      assert.equal((await healthOf(id)).state, 'FORCED_CLOSED')
      assert.equal((await set(id, 'FORCED_OPEN')).state, 'FORCED_OPEN')
      // As a proxy says that has not heard of the change yet.
      await proxy.report({ providers: [providerReport(id, { state: 'FORCED_OPEN' })] })
      assert.equal((await set(id, 'CLOSED')).state, 'CLOSED')
    })

    test('takes the states that an operator can set, and providers that there are', async () => {
      const id = await provider()
      for (const state of ['OPEN', 'HALF_OPEN'])
        await assert.rejects(set(id, state), { code: 'BAD_USER_INPUT', field: 'state' })
      await assert.rejects(set(newId(), 'CLOSED'), { code: 'NOT_FOUND', field: 'provider' })
    })
  })

  describe('providerHealth', () => {
    /** Changes of one provider, from now on. */
    const changesOf = async (id: string, proxy: ReportedProxy) => {
      let poked = 0
      const events = await begun(stage.control, CHANGES, {}, () =>
        proxy.report({ providers: [providerReport(id, { inFlight: (poked = 1 - poked) + 100 })] }),
      )
      const next = async (): Promise<any> => {
        for (;;) {
          const { value } = await within(10_000, 'a change', events.next())
          if (value.it.id === id && value.it.health.inFlight < 100) return value.it
        }
      }
      return { next, [Symbol.asyncDispose]: () => events[Symbol.asyncDispose]() }
    }

    test('tells of changes as they are reported and as they are set', async () => {
      const id = await provider()
      await using proxy = new ReportedProxy(stage.control)
      await using changes = await changesOf(id, proxy)
      const report = providerReport(id, { state: 'OPEN', openedAt: moment(1), retryAt: moment(6) })
      await proxy.report({ providers: [report] })
      const opened = await changes.next()
      assert.deepEqual([opened.health.state, opened.health.retryAt], ['OPEN', moment(6)])
      await setBreaker(stage.control, id, 'FORCED_CLOSED')
      assert.equal((await changes.next()).health.state, 'FORCED_CLOSED')
      const name = uniqueName('renamed')
      await stage.control.gql(documents.UPDATE_PROVIDER, { id, input: { name } })
      await setBreaker(stage.control, id, 'CLOSED')
      const again = await changes.next()
      assert.deepEqual([again.health.state, again.name], ['OPEN', name])
    })

    test('does not tell of latencies that hardly change', async () => {
      const id = await provider()
      await using proxy = new ReportedProxy(stage.control)
      await using changes = await changesOf(id, proxy)
      const report = (bucket: number, inFlight: number): Promise<void> =>
        proxy.report({ providers: [providerReport(id, { latency: [[bucket, 100]], inFlight })] })
      const told: [number, number][] = []
      await report(50, 1)
      told.push(await changes.next().then(({ health }) => [health.inFlight, Math.round(health.latencyP50Ms)]))
      await report(51, 1)
      await report(51, 2)
      told.push(await changes.next().then(({ health }) => [health.inFlight, Math.round(health.latencyP50Ms)]))
      await report(55, 2)
      told.push(await changes.next().then(({ health }) => [health.inFlight, Math.round(health.latencyP50Ms)]))
      assert.deepEqual(
        told.map(([inFlight]) => inFlight),
        [1, 2, 2],
      )
      assert.ok(told[2]![1] > 1.3 * told[1]![1])
    })

    test('tells of one provider a few times a second at most', async () => {
      const id = await provider()
      await using proxy = new ReportedProxy(stage.control)
      await using changes = await changesOf(id, proxy)
      const began = performance.now()
      for (let inFlight = 0; inFlight < 50; inFlight++)
        await proxy.report({ providers: [providerReport(id, { inFlight })] })
      let events = 1
      while ((await changes.next()).health.inFlight !== 49) events++
      const seconds = (performance.now() - began) / 1_000
      assert.ok(events <= 4 * seconds + 2, `${events} events in ${seconds} s`)
    })

    test('is not for proxies', async () => {
      await using events = stage.control.subscribe(CHANGES, {}, stage.control.proxyKey)
      await assert.rejects(events.next(), { code: 'FORBIDDEN' })
    })
  })
})
