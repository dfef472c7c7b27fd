/** What routing goes by, as an operator sets it, and as proxies are told it, on each database. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import {
  DEFAULT_BREAKER,
  DEFAULT_RETRY,
  DEFAULT_TIMEOUTS,
  ROUTING_STRATEGIES,
  type SnapshotAlias,
  type SnapshotProvider,
} from '@millrace/shared'

import { uniqueName } from '../helpers/gateway.ts'
import type { GraphqlError } from '../helpers/graphql.ts'
import * as documents from './documents.ts'
import { newestSnapshot } from './snapshots.ts'
import { onEachDatabase } from './suites.ts'

await onEachDatabase((stage) => {
  const ask = async (document: string, variables = {}): Promise<any> =>
    (await stage.control.gql(document, variables)).it
  const refused = async (code: string, field: string | undefined, document: string, variables: object) => {
    const error: GraphqlError = await ask(document, variables).then(
      () => assert.fail(`was not refused: ${JSON.stringify(variables)}`),
      (thrown: unknown) => thrown as GraphqlError,
    )
    assert.deepEqual([error.code, error.field], [code, field], error.message)
  }
  const provider = (more = {}): Promise<any> =>
    ask(documents.CREATE_PROVIDER, { input: { name: uniqueName('provider'), kind: 'SIMULATED', ...more } })
  const alias = (routes: object[] = [], more = {}): Promise<any> =>
    ask(documents.CREATE_ALIAS, { input: { name: uniqueName('alias'), routes, ...more } })
  const updateAlias = (id: string, input: object): Promise<any> => ask(documents.UPDATE_ALIAS, { id, input })
  const published = async (id: string): Promise<SnapshotAlias> =>
    (await newestSnapshot(stage.control)).aliases.find((one) => one.id === id)!
  const publishedProvider = async (id: string): Promise<SnapshotProvider> =>
    (await newestSnapshot(stage.control)).providers.find((one) => one.id === id)!
  const newestNumber = async (): Promise<number> => (await ask(documents.NEWEST_REVISION)).number

  describe("an alias's", () => {
    test('policies are the defaults unless set', async () => {
      const made = await alias()
      assert.deepEqual(made.sticky, { scope: 'NONE', ttlSeconds: 3_600 })
      assert.deepEqual(made.retry, DEFAULT_RETRY)
      assert.deepEqual(
        [made.strategy, made.hedge, made.timeouts, made.timeoutOverrides],
        ['WEIGHTED', null, null, null],
      )
      const { id, name, createdAt, ...told } = await published(made.id)
      assert.deepEqual([id, name, typeof createdAt], [made.id, made.name, 'string'])
      assert.deepEqual(told, {
        projectId: null,
        enabled: true,
        strategy: 'WEIGHTED',
        sticky: made.sticky,
        retry: made.retry,
        hedge: null,
        timeouts: null,
        routes: [],
      })
    })

    test('strategy is any of the six', async () => {
      const { id } = await alias([], { strategy: 'LEAST_LATENCY' })
      for (const strategy of ROUTING_STRATEGIES) assert.equal((await updateAlias(id, { strategy })).strategy, strategy)
      await refused('BAD_USER_INPUT', 'input.strategy', documents.UPDATE_ALIAS, { id, input: { strategy: 'BEST' } })
      await refused('BAD_USER_INPUT', 'input.strategy', documents.UPDATE_ALIAS, { id, input: { strategy: null } })
    })

    test('policies are merged, and cleared by null', async () => {
      const made = await alias([], {
        sticky: { scope: 'USER', ttlSeconds: 60 },
        retry: { maxAttempts: 5, jitter: 0 },
        hedge: {},
        timeouts: { total: 9_000 },
      })
      assert.deepEqual(made.retry, { ...DEFAULT_RETRY, maxAttempts: 5, jitter: 0 })
      assert.deepEqual(made.hedge, { afterMs: 1_000, maxExtraPercent: 5 })
      assert.deepEqual(made.timeouts, { ...DEFAULT_TIMEOUTS, total: 9_000 })
      assert.deepEqual((await published(made.id)).timeouts, { total: 9_000 })

      const kept = await updateAlias(made.id, {
        sticky: { ttlSeconds: 120 },
        retry: { jitter: null, maxBackoffMs: 100 },
        hedge: { maxExtraPercent: 50.5 },
        timeouts: { idle: 7 },
      })
      assert.deepEqual(kept.sticky, { scope: 'USER', ttlSeconds: 120 })
      assert.deepEqual(kept.retry, { ...DEFAULT_RETRY, maxAttempts: 5, maxBackoffMs: 100 })
      assert.deepEqual(kept.hedge, { afterMs: 1_000, maxExtraPercent: 50.5 })
      assert.deepEqual(kept.timeoutOverrides, { total: 9_000, idle: 7 })
      const { sticky, retry, hedge, timeouts } = await published(made.id)
      assert.deepEqual(
        { sticky, retry, hedge, timeouts },
        {
          sticky: kept.sticky,
          retry: kept.retry,
          hedge: kept.hedge,
          timeouts: kept.timeoutOverrides,
        },
      )

      const number = await newestNumber()
      const same = await updateAlias(made.id, { retry: { maxBackoffMs: 100 }, enabled: true })
      assert.deepEqual(same, kept)
      assert.equal(await newestNumber(), number, 'what changes nothing makes no revision')

      const cleared = await updateAlias(made.id, { sticky: null, retry: null, hedge: null, timeouts: null })
      assert.deepEqual(cleared, { ...(await alias()), id: made.id, name: made.name })
      assert.deepEqual((await updateAlias(made.id, { enabled: false })).hedge, null)
      assert.deepEqual((await updateAlias(made.id, { hedge: { afterMs: 5 } })).hedge, {
        afterMs: 5,
        maxExtraPercent: 5,
      })
    })

    for (const [input, field] of [
      [{ retry: { maxAttempts: 0 } }, 'input.retry.maxAttempts'],
      [{ retry: { maxAttempts: 21 } }, 'input.retry.maxAttempts'],
      [{ retry: { multiplier: 0.5 } }, 'input.retry.multiplier'],
      [{ retry: { jitter: 1.5 } }, 'input.retry.jitter'],
      [{ retry: { maxBackoffMs: -1 } }, 'input.retry.maxBackoffMs'],
      [{ retry: { most: 1 } }, 'input.retry.most'],
      [{ sticky: { scope: 'IP' } }, 'input.sticky.scope'],
      [{ sticky: { ttlSeconds: 0 } }, 'input.sticky.ttlSeconds'],
      [{ hedge: { afterMs: 0 } }, 'input.hedge.afterMs'],
      [{ hedge: { maxExtraPercent: 101 } }, 'input.hedge.maxExtraPercent'],
      [{ timeouts: { connect: 0 } }, 'input.timeouts.connect'],
      [{ timeouts: { total: 1.5 } }, 'input.timeouts.total'],
      [{ name: 'a*b' }, 'input.name'],
      [{ name: 'a**' }, 'input.name'],
      [{ name: '*a' }, 'input.name'],
    ] as const) {
      test(`input is refused: ${JSON.stringify(input)}`, async () => {
        const whole = { name: uniqueName('bad'), routes: [], ...input }
        await refused('BAD_USER_INPUT', field, documents.CREATE_ALIAS, { input: whole })
        const { id } = await alias()
        await refused('BAD_USER_INPUT', field, documents.UPDATE_ALIAS, { id, input })
      })
    }

    test('name may end in one *, and then its routes’ models may', async () => {
      const { id: target } = await provider()
      const name = `${uniqueName('wild')}/*`
      const made = await alias([{ provider: target, providerModel: 'vendor/*' }], { name })
      assert.equal(made.name, name)
      await refused('CONFLICT', undefined, documents.CREATE_ALIAS, { input: { name, routes: [] } })
      await refused('CONFLICT', undefined, documents.UPDATE_ALIAS, { id: made.id, input: { name: uniqueName('tame') } })
      const routes = [{ provider: target, providerModel: 'a*b' }]
      await refused('BAD_USER_INPUT', 'input.routes.0.providerModel', documents.CREATE_ALIAS, {
        input: { name: `${uniqueName('wild')}*`, routes },
      })
      await ask(documents.UPDATE_ROUTE, { id: made.routes[0].id, input: { providerModel: 'one' } })
      const tame = await updateAlias(made.id, { name: uniqueName('tame') })
      const needsWildcard = { provider: target, providerModel: 'vendor/*' }
      await refused('BAD_USER_INPUT', 'input.providerModel', documents.ADD_ROUTE, {
        alias: tame.id,
        input: needsWildcard,
      })
      await refused('BAD_USER_INPUT', 'input.providerModel', documents.UPDATE_ROUTE, {
        id: made.routes[0].id,
        input: { providerModel: 'vendor/*' },
      })
      await refused('BAD_USER_INPUT', 'input.routes.1.providerModel', documents.CREATE_ALIAS, {
        input: { name: uniqueName('tame'), routes: [{ provider: target }, needsWildcard] },
      })
      const all = await alias([], { name: '*' })
      assert.equal((await published(all.id)).name, '*')
      await ask(documents.DELETE_ALIAS, { id: all.id })
    })
  })

  describe("a route's", () => {
    const condition = { 'metadata.plan': { $in: ['pro', 'team'] }, $or: [{ stream: true }, { $not: { user: 'ann' } }] }

    test('condition and prices are stored as they are, and told to proxies', async () => {
      const { id: target } = await provider()
      const made = await alias([
        { provider: target, condition, inputPrice: '0.150', outputPrice: '00.6', cachedInputPrice: '0.000000000001' },
        { provider: target },
      ])
      const [first, second] = made.routes
      assert.deepEqual(first.condition, condition)
      assert.deepEqual([first.inputPrice, first.outputPrice, first.cachedInputPrice], ['0.15', '0.6', '0.000000000001'])
      assert.deepEqual([second.condition, second.inputPrice], [null, null])
      const told = (await published(made.id)).routes
      assert.deepEqual(told[0], {
        id: first.id,
        providerId: target,
        providerModel: null,
        priority: 0,
        weight: 1,
        enabled: true,
        condition,
        inputPrice: 0.15,
        outputPrice: 0.6,
        cachedInputPrice: 1e-12,
      })
      assert.deepEqual([told[1]!.condition, told[1]!.inputPrice], [null, null])

      const number = await newestNumber()
      const { $or, ...rest } = condition
      await ask(documents.UPDATE_ROUTE, { id: first.id, input: { condition: { $or, ...rest }, inputPrice: '0.1500' } })
      assert.equal(await newestNumber(), number, 'the same in another order and spelling')
      const changed = await ask(documents.UPDATE_ROUTE, {
        id: first.id,
        input: { condition: { 'metadata.plan': null }, outputPrice: null, cachedInputPrice: '0' },
      })
      assert.deepEqual(changed, {
        ...first,
        condition: { 'metadata.plan': null },
        outputPrice: null,
        cachedInputPrice: '0',
      })
      const { changes } = await ask(documents.NEWEST_REVISION)
      assert.deepEqual(
        changes.map(({ path }: any) => path),
        ['condition', 'outputPrice', 'cachedInputPrice'],
        'a condition changes as a whole',
      )
      const cleared = await ask(documents.UPDATE_ROUTE, { id: first.id, input: { condition: null } })
      assert.equal(cleared.condition, null)
    })

    test('prices may be written into the operation', async () => {
      const { id: target } = await provider()
      const { id } = await alias()
      const made = await ask(
        `mutation { it: addRoute(alias: "${id}", input: {
          provider: "${target}", inputPrice: 1.50, outputPrice: "2", cachedInputPrice: 3, condition: { stream: true }
        }) { inputPrice outputPrice cachedInputPrice condition } }`,
      )
      assert.deepEqual(
        { ...made },
        { inputPrice: '1.5', outputPrice: '2', cachedInputPrice: '3', condition: { stream: true } },
      )
    })

    for (const [input, field] of [
      [{ inputPrice: '-0.1' }, 'inputPrice'],
      [{ outputPrice: '0.1234567890123' }, 'outputPrice'],
      [{ cachedInputPrice: '1000000.1' }, 'cachedInputPrice'],
      [{ inputPrice: 'cheap' }, 'inputPrice'],
      [{ inputPrice: '1e3' }, 'inputPrice'],
      [{ inputPrice: true }, 'inputPrice'],
      [{ condition: 'stream' }, 'condition'],
      [{ condition: [] }, 'condition'],
      [{ condition: { colour: 'red' } }, 'condition.colour'],
      [{ condition: { 'metadata.plan': { $regex: '(a+)+$' } } }, 'condition.metadata.plan.$regex'],
      [{ condition: { 'metadata.plan': {} } }, 'condition.metadata.plan'],
      [{ condition: { $or: [{ stream: true }, { stream: 'yes' }] } }, 'condition.$or.1.stream'],
      [{ condition: { user: { $percent: [10, 5] } } }, 'condition.user.$percent'],
      [{ condition: { 'metadata.a': 'b\0' } }, 'condition'],
      [
        { condition: { user: { $in: Array.from({ length: 1_000 }, (_, i) => `a person with a long name ${i}`) } } },
        'condition',
      ],
    ] as const) {
      test(`input is refused: ${JSON.stringify(input).slice(0, 70)}`, async () => {
        const { id: target } = await provider()
        const routes = [{ provider: target, ...input }]
        await refused('BAD_USER_INPUT', `input.routes.0.${field}`, documents.CREATE_ALIAS, {
          input: { name: uniqueName('bad'), routes },
        })
        const made = await alias([{ provider: target }])
        await refused('BAD_USER_INPUT', `input.${field}`, documents.UPDATE_ROUTE, { id: made.routes[0].id, input })
      })
    }
  })

  describe("a provider's", () => {
    test('breaker, concurrency and directness are merged, cleared, and told to proxies', async () => {
      const plain = await provider()
      assert.deepEqual([plain.direct, plain.maxConcurrency, plain.breaker], [false, null, DEFAULT_BREAKER])
      const made = await provider({ direct: true, maxConcurrency: 7, breaker: { errorRate: 0.25, openSeconds: 1 } })
      assert.deepEqual(made.breaker, { ...DEFAULT_BREAKER, errorRate: 0.25, openSeconds: 1 })
      const told = await publishedProvider(made.id)
      assert.deepEqual(
        [told.direct, told.maxConcurrency, told.breaker, told.forcedBreaker, told.breakerSetAt],
        [true, 7, made.breaker, null, null],
      )
      const input = { breaker: { openSeconds: null, consecutiveFailures: 3 }, maxConcurrency: null }
      const changed = await ask(documents.UPDATE_PROVIDER, { id: made.id, input })
      const breaker = { ...DEFAULT_BREAKER, errorRate: 0.25, consecutiveFailures: 3 }
      assert.deepEqual(changed, { ...made, maxConcurrency: null, breaker })
      const cleared = await ask(documents.UPDATE_PROVIDER, { id: made.id, input: { breaker: null, direct: false } })
      assert.deepEqual(cleared, { ...made, direct: false, maxConcurrency: null, breaker: DEFAULT_BREAKER })
    })

    for (const [input, field] of [
      [{ maxConcurrency: 0 }, 'input.maxConcurrency'],
      [{ breaker: { errorRate: 1.1 } }, 'input.breaker.errorRate'],
      [{ breaker: { minRequests: 0 } }, 'input.breaker.minRequests'],
      [{ breaker: { windowSeconds: 3_601 } }, 'input.breaker.windowSeconds'],
      [{ breaker: { maxOpenSeconds: 0 } }, 'input.breaker.maxOpenSeconds'],
    ] as const) {
      test(`input is refused: ${JSON.stringify(input)}`, async () => {
        const whole = { name: uniqueName('bad'), kind: 'SIMULATED', ...input }
        await refused('BAD_USER_INPUT', field, documents.CREATE_PROVIDER, { input: whole })
        const { id } = await provider()
        await refused('BAD_USER_INPUT', field, documents.UPDATE_PROVIDER, { id, input })
      })
    }

    test('breaker is forced, and handed back, as a change of configuration', async () => {
      const { id, name } = await provider()
      const set = async (state: string): Promise<[forced: string | null, at: number]> => {
        await ask(documents.SET_BREAKER, { provider: id, state })
        const { forcedBreaker, breakerSetAt } = await publishedProvider(id)
        return [forcedBreaker, Date.parse(breakerSetAt!)]
      }
      const [forced, at] = await set('FORCED_OPEN')
      assert.equal(forced, 'FORCED_OPEN')
      assert.ok(Math.abs(Date.now() - at) < 60_000)
      const number = await newestNumber()
      assert.deepEqual(await set('FORCED_OPEN'), [forced, at], 'once is enough')
      assert.equal(await newestNumber(), number)
      const [event] = (await ask(documents.AUDIT)).edges
      assert.deepEqual([event.node.action, event.node.subject], ['setBreaker', `provider ${name}`])
      assert.equal((await set('FORCED_CLOSED'))[0], 'FORCED_CLOSED')
      const [none, handedBack] = await set('CLOSED')
      assert.equal(none, null)
      const [, again] = await set('CLOSED')
      assert.ok(again >= handedBack, 'it begins anew each time')
      assert.equal(await newestNumber(), number + 3)
      for (const state of ['OPEN', 'HALF_OPEN'])
        await refused('BAD_USER_INPUT', 'state', documents.SET_BREAKER, { provider: id, state })
      const nobody = { provider: '00000000-0000-7000-8000-000000000000', state: 'CLOSED' }
      await refused('NOT_FOUND', 'provider', documents.SET_BREAKER, nobody)
    })
  })

  test("a token's clients bring keys of their own only where it says so", async () => {
    const [{ id: project }] = await ask(documents.PROJECTS)
    const told = async (id: string) => (await newestSnapshot(stage.control)).tokens.find((one) => one.id === id)!
    const create = async (more: object): Promise<any> =>
      (await ask(documents.CREATE_TOKEN, { input: { name: uniqueName('token'), project, ...more } })).token
    const plain = await create({})
    assert.deepEqual(plain.access, { ownKeys: false })
    const made = await create({ access: { ownKeys: true } })
    assert.deepEqual(made.access, { ownKeys: true })
    const { name, ownKeys } = await told(made.id)
    assert.deepEqual([name, ownKeys], [made.name, true])
    const update = (input: object): Promise<any> => ask(documents.UPDATE_TOKEN, { id: made.id, input })
    assert.equal((await update({ name: uniqueName('renamed'), access: {} })).access.ownKeys, true)
    assert.equal((await update({ access: { ownKeys: null } })).access.ownKeys, false)
    await update({ access: { ownKeys: true } })
    assert.equal((await update({ access: null })).access.ownKeys, false)
    assert.equal((await told(made.id)).ownKeys, false)
    await refused('BAD_USER_INPUT', 'input.access.ownKeys', documents.UPDATE_TOKEN, {
      id: made.id,
      input: { access: { ownKeys: 'yes' } },
    })
  })
})
