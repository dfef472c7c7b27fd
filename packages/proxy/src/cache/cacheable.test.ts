import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  DEFAULT_ACCESS,
  DEFAULT_BREAKER,
  DEFAULT_CACHE,
  DEFAULT_RETRY,
  DEFAULT_STICKY,
  DEFAULT_TIMEOUTS,
  type Access,
  type SnapshotAlias,
  type SnapshotProvider,
  type SnapshotRoute,
} from '@millrace/shared'

import { compileCache, type CompiledCache } from './cacheable.ts'

const PROVIDER: SnapshotProvider = {
  id: 'p1',
  name: 'provider',
  kind: 'OPENAI_COMPATIBLE',
  baseUrl: 'http://127.0.0.1:9/v1',
  enabled: true,
  timeouts: DEFAULT_TIMEOUTS,
  breaker: DEFAULT_BREAKER,
  forcedBreaker: null,
  breakerSetAt: null,
  direct: false,
  maxConcurrency: null,
  settings: {},
  access: null,
  credentials: [],
}
const ROUTE: SnapshotRoute = {
  id: 'r1',
  providerId: 'p1',
  providerModel: null,
  priority: 0,
  weight: 1,
  enabled: true,
  condition: null,
  inputPrice: null,
  outputPrice: null,
  cachedInputPrice: null,
}
const ALIAS: SnapshotAlias = {
  id: 'a1',
  name: 'alias',
  projectId: null,
  enabled: true,
  strategy: 'WEIGHTED',
  sticky: DEFAULT_STICKY,
  retry: DEFAULT_RETRY,
  hedge: null,
  unknownParameters: 'DROP',
  cache: { ...DEFAULT_CACHE, enabled: true },
  timeouts: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  routes: [ROUTE],
}
const SHARED = { ...ALIAS.cache, shareAcrossProject: true }

interface Over {
  readonly alias?: Partial<SnapshotAlias>
  readonly route?: Partial<SnapshotRoute>
  readonly provider?: Partial<SnapshotProvider>
}

function compiled({ alias, route, provider }: Over = {}): CompiledCache {
  const cache = compileCache({ ...ALIAS, routes: [{ ...ROUTE, ...route }], ...alias }, () => ({
    ...PROVIDER,
    ...provider,
  }))
  assert.ok(cache)
  return cache
}

describe('compileCache', () => {
  it('makes nothing of an alias that neither stores nor shares', () => {
    assert.equal(
      compileCache({ ...ALIAS, cache: DEFAULT_CACHE }, () => PROVIDER),
      null,
    )
    const { policy, cacheable } = compiled({ alias: { cache: { ...DEFAULT_CACHE, coalesce: true } } })
    assert.deepEqual([policy.enabled, policy.coalesce, cacheable], [false, true, true])
  })

  for (const [condition, alone, shared, members, facts] of [
    [null, true, true, [], []],
    [{ model: 'm', endpoint: '/v1/embeddings', project: 'p', tools: true, images: false }, true, true, [], []],
    [{ max_tokens: { $gt: 5 } }, true, true, [], []],
    [{ stream: true }, true, true, ['stream'], []],
    [{ token: { $percent: [0, 50] } }, true, false, [], []],
    [{ token_name: 'ci' }, true, false, [], ['token_name']],
    [{ project_name: 'x' }, true, true, [], ['project_name']],
    [
      { $or: [{ estimated_input_tokens: { $gt: 5 } }, { project_name: 'x' }] },
      true,
      true,
      [],
      ['estimated_input_tokens', 'project_name'],
    ],
    [{ user: { $percent: [0, 10] } }, false, false, [], []],
    [{ conversation: 'c' }, false, false, [], []],
    [{ 'metadata.plan': 'pro' }, false, false, [], []],
    [{ $and: [{ model: 'm' }, { $not: { 'headers.X-Tier': 'gold' } }] }, false, false, [], []],
    [{ moon: 'full' }, false, false, [], []],
    [{ model: { $regex: 'x' } }, false, false, [], []],
  ] as const) {
    it(`knows what the condition ${JSON.stringify(condition)} means for the key`, () => {
      const cache = compiled({ route: { condition } })
      assert.equal(cache.cacheable, alone)
      assert.deepEqual([[...cache.members], cache.facts], [members, facts])
      assert.equal(compiled({ route: { condition }, alias: { cache: SHARED } }).cacheable, shared)
    })
  }

  for (const [access, cacheable, members] of [
    [{ models: ['m*'], endpoints: ['/v1/*'], methods: ['POST'] }, true, []],
    [{ params: { user: ['alice'], temperature: ['0'] } }, true, ['user', 'temperature']],
    [{ ipRanges: ['10.0.0.0/8'] }, false, []],
    [{ origins: ['https://a.example'] }, false, []],
    [{ requiredHeaders: ['x-team'] }, false, []],
  ] satisfies [Partial<Access>, boolean, string[]][]) {
    it(`knows what the access ${JSON.stringify(access)} of a provider means for the key`, () => {
      const cache = compiled({ provider: { access: { ...DEFAULT_ACCESS, ...access } } })
      assert.deepEqual([cache.cacheable, [...cache.members]], [cacheable, members])
    })
  }

  it('looks at each route, but at none that is switched off', () => {
    const reading = { ...ROUTE, id: 'r2', condition: { user: 'u' } }
    assert.equal(compiled({ alias: { routes: [ROUTE, reading] } }).cacheable, false)
    assert.equal(compiled({ alias: { routes: [ROUTE, { ...reading, enabled: false }] } }).cacheable, true)
    assert.equal(compiled({ alias: { routes: [reading] }, provider: { enabled: false } }).cacheable, true)
  })
})

describe('routesDigest', () => {
  const digest = (over?: Over): string => compiled(over).routesDigest

  it('stays while nothing changes that decides what an answer is', () => {
    assert.match(digest(), /^[\w-]{43}$/)
    assert.equal(digest({ alias: { retry: { ...DEFAULT_RETRY, maxAttempts: 9 }, cache: SHARED } }), digest())
    assert.equal(digest({ provider: { name: 'renamed', maxConcurrency: 3 }, route: { inputPrice: 1 } }), digest())
  })

  for (const over of [
    { alias: { name: 'al*' } },
    { alias: { cache: { ...ALIAS.cache, ttlSeconds: 60 } } },
    { alias: { cache: { ...ALIAS.cache, storeToolCalls: true } } },
    { alias: { routes: [] } },
    { alias: { routes: [ROUTE, { ...ROUTE, id: 'r2' }] } },
    { route: { id: 'r2' } },
    { route: { providerModel: 'm' } },
    { route: { priority: 1 } },
    { route: { weight: 2 } },
    { route: { enabled: false } },
    { route: { condition: { model: 'm' } } },
    { route: { providerId: 'p2' } },
    { provider: { kind: 'OPENAI' } },
    { provider: { baseUrl: null } },
    { provider: { enabled: false } },
    { provider: { settings: { http2: true } } },
    { provider: { access: DEFAULT_ACCESS } },
  ] as const satisfies readonly Over[]) {
    it(`is another with ${JSON.stringify(over).slice(0, 80)}`, () => assert.notEqual(digest(over), digest()))
  }
})
