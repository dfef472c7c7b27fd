/** What aliases route by, as an operator sets it and as proxies are told it, on each database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DEFAULT_CACHE, DEFAULT_RETRY, DEFAULT_TIMEOUTS, ROUTING_STRATEGIES } from '@millrace/shared'

import { uniqueName } from '../helpers/names.ts'
import * as documents from './documents.ts'
import { operatorOf } from './operator.ts'
import { onEachDatabase } from './suites.ts'

await onEachDatabase((stage) => {
  const { ask, refused, provider, alias, newestNumber, publishedAlias } = operatorOf(stage)
  const updateAlias = (id: string, input: object): Promise<any> => ask(documents.UPDATE_ALIAS, { id, input })

  test("an alias's policies are the defaults unless set", async () => {
    const made = await alias()
    assert.deepEqual(made.sticky, { scope: 'NONE', ttlSeconds: 3_600 })
    assert.deepEqual(made.retry, DEFAULT_RETRY)
    assert.deepEqual(made.cache, DEFAULT_CACHE)
    assert.deepEqual([made.strategy, made.hedge, made.timeouts, made.timeoutOverrides], ['WEIGHTED', null, null, null])
    const { id, name, createdAt, ...told } = await publishedAlias(made.id)
    assert.deepEqual([id, name, typeof createdAt], [made.id, made.name, 'string'])
    assert.deepEqual(told, {
      projectId: null,
      enabled: true,
      strategy: 'WEIGHTED',
      sticky: made.sticky,
      retry: made.retry,
      hedge: null,
      cache: DEFAULT_CACHE,
      unknownParameters: 'DROP',
      timeouts: null,
      routes: [],
    })
  })

  test('its strategy is any of the six', async () => {
    const { id } = await alias([], { strategy: 'LEAST_LATENCY' })
    for (const strategy of ROUTING_STRATEGIES) assert.equal((await updateAlias(id, { strategy })).strategy, strategy)
    await refused('BAD_USER_INPUT', 'input.strategy', documents.UPDATE_ALIAS, { id, input: { strategy: 'BEST' } })
  })

  test('what becomes of parameters that a provider does not know is set, kept and cleared', async () => {
    const { id, unknownParameters } = await alias([], { unknownParameters: 'REFUSE' })
    assert.equal(unknownParameters, 'REFUSE')
    assert.equal((await publishedAlias(id)).unknownParameters, 'REFUSE')
    assert.equal((await updateAlias(id, { strategy: 'RANDOM' })).unknownParameters, 'REFUSE')
    assert.equal((await updateAlias(id, { unknownParameters: null })).unknownParameters, 'DROP')
    assert.equal((await publishedAlias(id)).unknownParameters, 'DROP')
    const before = await newestNumber()
    await updateAlias(id, { unknownParameters: 'DROP' })
    assert.equal(await newestNumber(), before, 'nothing has changed')
    assert.equal((await updateAlias(id, { unknownParameters: 'REFUSE' })).unknownParameters, 'REFUSE')
    const { changes } = await ask('{ it: configRevision { changes { kind path before after } } }')
    assert.deepEqual(changes, [{ kind: 'alias', path: 'unknownParameters', before: 'DROP', after: 'REFUSE' }])
    const input = { unknownParameters: 'IGNORE' }
    await refused('BAD_USER_INPUT', 'input.unknownParameters', documents.UPDATE_ALIAS, { id, input })
  })

  test('its policies are merged, and cleared by null', async () => {
    const made = await alias([], {
      sticky: { scope: 'USER', ttlSeconds: 60 },
      retry: { maxAttempts: 5, jitter: 0 },
      hedge: {},
      cache: { enabled: true, ttlSeconds: 60, replayPace: 'RECORDED' },
      timeouts: { total: 9_000 },
    })
    assert.deepEqual(made.retry, { ...DEFAULT_RETRY, maxAttempts: 5, jitter: 0 })
    assert.deepEqual(made.hedge, { afterMs: 1_000, maxExtraPercent: 5 })
    assert.deepEqual(made.cache, { ...DEFAULT_CACHE, enabled: true, ttlSeconds: 60, replayPace: 'RECORDED' })
    assert.deepEqual(made.timeouts, { ...DEFAULT_TIMEOUTS, total: 9_000 })
    assert.deepEqual((await publishedAlias(made.id)).timeouts, { total: 9_000 })

    const kept = await updateAlias(made.id, {
      sticky: { ttlSeconds: 120 },
      retry: { jitter: null, maxBackoffMs: 100 },
      hedge: { maxExtraPercent: 50.5 },
      cache: { coalesce: true, shareAcrossProject: true, storeToolCalls: true, replayPace: null },
      timeouts: { idle: 7 },
    })
    assert.deepEqual(kept.sticky, { scope: 'USER', ttlSeconds: 120 })
    assert.deepEqual(kept.retry, { ...DEFAULT_RETRY, maxAttempts: 5, maxBackoffMs: 100 })
    assert.deepEqual(kept.hedge, { afterMs: 1_000, maxExtraPercent: 50.5 })
    const stored = { enabled: true, ttlSeconds: 60, coalesce: true, shareAcrossProject: true, storeToolCalls: true }
    assert.deepEqual(kept.cache, { ...DEFAULT_CACHE, ...stored })
    assert.deepEqual(kept.timeoutOverrides, { total: 9_000, idle: 7 })
    const { sticky, retry, hedge, cache, timeouts } = await publishedAlias(made.id)
    assert.deepEqual(
      { sticky, retry, hedge, cache, timeouts },
      {
        sticky: kept.sticky,
        retry: kept.retry,
        hedge: kept.hedge,
        cache: kept.cache,
        timeouts: kept.timeoutOverrides,
      },
    )

    const number = await newestNumber()
    const same = await updateAlias(made.id, { retry: { maxBackoffMs: 100 }, enabled: true })
    assert.deepEqual(same, kept)
    assert.equal(await newestNumber(), number, 'what changes nothing makes no revision')

    const cleared = await updateAlias(made.id, { sticky: null, retry: null, hedge: null, cache: null, timeouts: null })
    assert.deepEqual(cleared, { ...(await alias()), id: made.id, name: made.name })
    assert.deepEqual((await updateAlias(made.id, { enabled: false })).hedge, null)
    assert.deepEqual((await updateAlias(made.id, { hedge: { afterMs: 5 } })).hedge, {
      afterMs: 5,
      maxExtraPercent: 5,
    })
  })

  test('null takes back what was set, but for the name', async () => {
    const { id } = await alias([], { strategy: 'RANDOM', enabled: false })
    const { strategy, enabled } = await updateAlias(id, { strategy: null, enabled: null })
    assert.deepEqual([strategy, enabled], ['WEIGHTED', true])
    await refused('BAD_USER_INPUT', 'input.name', documents.UPDATE_ALIAS, { id, input: { name: null } })
  })

  for (const [policy, range] of [
    ['retry.maxAttempts', 'a whole number from 1 to 20'],
    ['retry.jitter', 'a number from 0 to 1'],
    ['sticky.ttlSeconds', 'a whole number from 1 to 2678400'],
    ['hedge.maxExtraPercent', 'a number from 0 to 100'],
    ['cache.ttlSeconds', 'a whole number from 1 to 2678400'],
    ['timeouts.idle', 'a whole number from 1 to 86400000'],
  ] as const) {
    test(`what ${policy} may be is said`, async () => {
      const [name, field] = policy.split('.') as [string, string]
      const { id } = await alias()
      const input = { [name]: { [field]: -5 } }
      const said = await refused('BAD_USER_INPUT', `input.${policy}`, documents.UPDATE_ALIAS, { id, input })
      assert.ok(said.endsWith(`must be ${range}`), said)
    })
  }

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
    [{ cache: { ttlSeconds: 0 } }, 'input.cache.ttlSeconds'],
    [{ cache: { ttlSeconds: 2_678_401 } }, 'input.cache.ttlSeconds'],
    [{ cache: { enabled: 'yes' } }, 'input.cache.enabled'],
    [{ cache: { replayPace: 'SLOW' } }, 'input.cache.replayPace'],
    [{ cache: { bytes: 1 } }, 'input.cache.bytes'],
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

  test('its name may end in one *, and then its routes’ models may', async () => {
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
    assert.equal((await publishedAlias(all.id)).name, '*')
    await ask(documents.DELETE_ALIAS, { id: all.id })
  })
})
