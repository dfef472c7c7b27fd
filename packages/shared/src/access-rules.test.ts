import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { AccessRules } from './access-rules.ts'
import { accessPolicy, DEFAULT_ACCESS, type Access } from './access.ts'
import { GlobList } from './glob-list.ts'
import { matchesGlob } from './glob.ts'
import { parseIp } from './ip-address.ts'

const rules = (access: Partial<Access>): AccessRules => new AccessRules({ ...DEFAULT_ACCESS, ...access })

describe('the default', () => {
  it('allows everything', () => {
    const all = rules({})
    assert.equal(all.ownKeys, false)
    assert.equal(all.asksForAddress, false)
    assert.equal(all.paramNames, null)
    for (const refusal of [
      all.endpointRefusal('/v1/anything'),
      all.methodRefusal('BREW'),
      all.addressRefusal(null),
      all.originRefusal(null),
      all.headerRefusal({}),
      all.modelRefusal(''),
      all.paramRefusal(new Map([['user', [{}]]])),
    ])
      assert.equal(refusal, null)
  })
})

describe('a list', () => {
  it('of models', () => {
    const some = rules({ models: ['chat', 'vendor/*', '*-mini'] })
    for (const model of ['chat', 'vendor/', 'vendor/x', '-mini', 'a-mini'])
      assert.equal(some.modelRefusal(model), null, model)
    for (const model of ['', 'Chat', 'chat2', 'a vendor/x', 'a-minis', 'toString']) {
      const refusal = some.modelRefusal(model)
      assert.deepEqual([refusal?.status, refusal?.code, refusal?.param], [403, 'model_not_allowed', 'model'], model)
    }
  })

  it('of endpoints', () => {
    const some = rules({ endpoints: ['/v1/models*'] })
    assert.equal(some.endpointRefusal('/v1/models/{id}'), null)
    assert.deepEqual([some.endpointRefusal('/v1/chat/completions')?.status], [404])
  })

  it('of methods, which a refusal names', () => {
    const refusal = rules({ methods: ['GET', 'HEAD'] }).methodRefusal('POST')
    assert.deepEqual([refusal?.status, refusal?.code, refusal?.allow], [405, 'method_not_allowed', 'GET, HEAD'])
  })

  it('of addresses, which an unknown one is not in', () => {
    const some = rules({ ipRanges: ['192.0.2.0/24', '2001:db8::1'] })
    assert.equal(some.addressRefusal(parseIp('192.0.2.9')), null)
    assert.equal(some.addressRefusal(parseIp('2001:db8::1')), null)
    assert.equal(some.addressRefusal(parseIp('192.0.3.9'))?.code, 'ip_not_allowed')
    assert.equal(some.addressRefusal(null)?.code, 'ip_not_allowed')
  })

  it('of origins, which a request without one is not in', () => {
    const some = rules({ origins: ['https://*.example.com'] })
    assert.equal(some.originRefusal('https://app.example.com'), null)
    for (const origin of [
      'https://example.com',
      'http://app.example.com',
      'https://app.example.com.evil.test',
      'null',
      null,
    ])
      assert.equal(some.originRefusal(origin)?.code, 'origin_not_allowed', String(origin))
  })

  it('of headers that must be there, and not empty', () => {
    const some = rules({ requiredHeaders: ['x-team', 'constructor'] })
    assert.equal(some.headerRefusal({ 'x-team': 'a', constructor: 'b' }), null)
    for (const headers of [{}, { 'x-team': '' }, { 'x-team': 'a' }]) {
      const refusal = some.headerRefusal(headers)
      assert.deepEqual([refusal?.status, refusal?.code], [400, 'header_required'])
      assert.match(refusal!.message, 'x-team' in headers && headers['x-team'] ? /"constructor"/ : /"x-team"/)
    }
  })
})

describe('a parameter', () => {
  const some = rules({ params: { service_tier: ['auto', 'flex*'], n: ['1', '2'], store: ['false', 'null'], x: ['*'] } })
  const refused = (members: Record<string, unknown[]>): string | null | undefined =>
    some.paramRefusal(new Map(Object.entries(members)))?.param

  it('that is absent is allowed', () => assert.equal(refused({}), undefined))
  it('that is not spoken of is allowed', () => assert.equal(refused({ user: ['x'] }), undefined))
  for (const [name, value] of [
    ['service_tier', 'auto'],
    ['service_tier', 'flexible'],
    ['service_tier', ['auto', 'flex']],
    ['service_tier', []],
    ['n', 1],
    ['n', 2.0],
    ['n', '1'],
    ['store', false],
    ['store', null],
    ['x', 'y'.repeat(5_000)],
  ] as const) {
    it(`${name}: ${JSON.stringify(value).slice(0, 40)} is allowed`, () =>
      assert.equal(refused({ [name]: [value] }), undefined))
  }
  for (const [name, value] of [
    ['service_tier', 'priority'],
    ['service_tier', null],
    ['service_tier', ['auto', 'priority']],
    ['service_tier', [['auto']]],
    ['service_tier', { auto: 1 }],
    ['service_tier', Array(101).fill('auto')],
    ['n', 3],
    ['n', 1.5],
    ['store', true],
    ['store', {}],
    ['x', {}],
  ] as const) {
    it(`${name}: ${JSON.stringify(value).slice(0, 40)} is not`, () => assert.equal(refused({ [name]: [value] }), name))
  }
  it('that occurs twice must be allowed both times', () => {
    assert.equal(refused({ n: [1, 2] }), undefined)
    assert.equal(refused({ n: [1, 3] }), 'n')
    assert.equal(refused({ n: [3, 1] }), 'n')
  })
})

describe('many globs', () => {
  it('match what each does by itself', () => {
    const globs = ['', 'a', '*', 'a*', '*a', 'a*a', '*a*', 'a**b', 'ab*ba', '*a*b*', 'aba', '**']
    const texts = ['', 'a', 'b', 'aa', 'ab', 'ba', 'aba', 'abba', 'abab', 'bab', 'abcba', 'aab']
    for (const glob of globs)
      for (const text of texts) assert.equal(new GlobList([glob]).has(text), matchesGlob(glob, text), `${glob} ${text}`)
  })

  it('are not made to explode: a thousand of the worst, for a text of the worst', () => {
    const bombs = Array.from({ length: 1_000 }, (_, i) => `${'*aaaaaaaaaaaaaaaaaaaaaab'.repeat(8)}${i}`.slice(0, 200))
    const list = new GlobList(bombs)
    const began = process.cpuUsage()
    assert.equal(list.has('a'.repeat(1_024)), false)
    assert.equal(list.has('a'.repeat(10_000_000)), false)
    const { user, system } = process.cpuUsage(began)
    // Backtracking would take years. It takes some 10 ms.
    assert.ok(user + system < 5_000_000, `${user + system} µs`)
  })

  it('cost little where they are names', () => {
    const list = new GlobList(Array.from({ length: 1_000 }, (_, i) => (i % 2 ? `model-${i}` : `vendor-${i}/*`)))
    const began = process.cpuUsage()
    for (let i = 0; i < 100_000; i++) assert.equal(list.has(`nothing-${i % 10}`), false)
    const { user, system } = process.cpuUsage(began)
    assert.ok(user + system < 5_000_000, `${user + system} µs for 100,000`)
  })
})

describe('a policy', () => {
  const parse = (access: object): boolean => accessPolicy.safeParse({ ...DEFAULT_ACCESS, ...access }).success

  for (const access of [
    {},
    { models: ['*'] },
    { models: Array.from({ length: 1_000 }, (_, i) => `m${i}`) },
    { ipRanges: ['10.0.0.0/8', '::1', '2001:db8::/32'] },
    { origins: ['https://*.example.com', 'http://localhost:3000', 'null'] },
    { params: { service_tier: ['auto'], n: ['1'] } },
    { requiredHeaders: ['X-Team'] },
  ])
    it(`${JSON.stringify(access).slice(0, 60)} is one`, () => assert.ok(parse(access)))

  for (const access of [
    { models: [] },
    { models: [''] },
    { models: ['(a+)+$'] },
    { models: ['a\u0000b'] },
    { models: ['*a'.repeat(9)] },
    { models: ['x'.repeat(201)] },
    { models: Array.from({ length: 10_000 }, (_, i) => `m${i}`) },
    { methods: ['get'] },
    { ipRanges: ['10.0.0.0/33'] },
    { ipRanges: ['example.com'] },
    { params: { é: ['1'] } },
    { params: { n: [] } },
    { params: { n: ['1\n2'] } },
    { requiredHeaders: ['x team'] },
    { ownKeys: 'yes' },
    { unknown: null },
  ])
    it(`${JSON.stringify(access).slice(0, 60)} is none`, () => assert.ok(!parse(access)))
})
