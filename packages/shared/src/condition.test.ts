import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { compileCondition, ConditionError } from './condition.ts'
import type { RequestFacts } from './routing/facts.ts'

type Facts = Partial<Omit<RequestFacts, 'header' | 'maxTokens' | 'hasTools' | 'hasImages' | 'estimatedInputTokens'>> & {
  readonly headers?: Readonly<Record<string, string>>
  readonly max?: number
  readonly tools?: boolean
  readonly images?: boolean
  readonly estimate?: number
}

const facts = ({
  headers = {},
  max,
  tools = false,
  images = false,
  estimate = 0,
  ...own
}: Facts = {}): RequestFacts => ({
  endpoint: '/v1/chat/completions',
  stream: false,
  model: 'gpt-5',
  tokenId: null,
  tokenName: null,
  projectId: null,
  projectName: null,
  user: null,
  conversation: null,
  metadata: null,
  header: (name) => headers[name] ?? null,
  maxTokens: () => max ?? null,
  hasTools: () => tools,
  hasImages: () => images,
  estimatedInputTokens: () => estimate,
  ...own,
})

const holds = (condition: unknown, request: Facts = {}): boolean => compileCondition(condition)(facts(request))

describe('compileCondition: each field', () => {
  for (const [condition, yes, no] of [
    [{ endpoint: '/v1/embeddings' }, { endpoint: '/v1/embeddings' }, {}],
    [{ stream: true }, { stream: true }, {}],
    [{ model: 'gpt-4o' }, { model: 'gpt-4o' }, {}],
    [{ token: 't' }, { tokenId: 't' }, {}],
    [{ token_name: 'ci' }, { tokenName: 'ci' }, {}],
    [{ project: 'p' }, { projectId: 'p' }, {}],
    [{ project_name: 'default' }, { projectName: 'default' }, {}],
    [{ user: 'u' }, { user: 'u' }, {}],
    [{ conversation: 'c' }, { conversation: 'c' }, {}],
    [{ max_tokens: 100 }, { max: 100 }, { max: 101 }],
    [{ tools: true }, { tools: true }, {}],
    [{ images: true }, { images: true }, {}],
    [{ estimated_input_tokens: { $gt: 9 } }, { estimate: 10 }, { estimate: 9 }],
    [{ 'headers.X-Tier': 'gold' }, { headers: { 'x-tier': 'gold' } }, { headers: { 'x-tier': 'Gold' } }],
    [{ 'metadata.plan': 'pro' }, { metadata: { plan: 'pro' } }, { metadata: { plan: 'free' } }],
    [{ 'metadata.a.b.c': 1 }, { metadata: { a: { b: { c: 1 } } } }, { metadata: { a: { b: 1 } } }],
    [{ 'metadata.beta': false }, { metadata: { beta: false } }, { metadata: { beta: 0 } }],
  ] as const satisfies readonly (readonly [unknown, Facts, Facts])[]) {
    it(JSON.stringify(condition), () => {
      assert.equal(holds(condition, yes), true)
      assert.equal(holds(condition, no), false)
    })
  }
})

describe('compileCondition: each operator', () => {
  for (const [operators, yes, no] of [
    [{ $eq: 'a' }, ['a'], ['b', 1, null, true, ['a'], { a: 1 }]],
    [{ $eq: 1 }, [1, 1.0], ['1', 2, true, null]],
    [{ $eq: null }, [null], ['', 0, false, [], {}]],
    [{ $ne: 'a' }, ['b', 1, null, []], ['a']],
    [{ $ne: null }, ['', 0, false, [], {}], [null]],
    [{ $in: ['a', 2] }, ['a', 2], ['b', '2', null, ['a']]],
    [{ $in: ['a', null] }, ['a', null], ['b']],
    [{ $nin: ['a', 2] }, ['b', '2', null, ['a']], ['a', 2]],
    [{ $gt: 5 }, [6, 5.1], [5, 4, '6', null, true, [6]]],
    [{ $gte: 5 }, [5, 6], [4.9, '5', null]],
    [{ $lt: 5 }, [4, -1], [5, '4', null, false]],
    [{ $lte: 5 }, [5, 0], [5.1, null, '']],
    [{ $gt: 1, $lt: 5 }, [2], [1, 5, null]],
    [{ $exists: true }, ['', 0, false, [], {}], [null]],
    [{ $exists: false }, [null], ['', 0, false, [], {}]],
    [{ $glob: 'a*z' }, ['az', 'abcz'], ['a', 'AZ', null, 1, ['az']]],
    [{ $glob: 'a.z' }, ['a.z'], ['abz']],
    [{ $glob: '*' }, ['', 'x'], [null, 1, 'x'.repeat(8_193)]],
    [{ $percent: [0, 100] }, ['', 'x', 12, 'ü😀'], [null, true, [], {}]],
  ] as const) {
    const ask = (value: unknown): boolean => holds({ 'metadata.x': operators }, { metadata: { x: value } })
    it(JSON.stringify(operators), () => {
      for (const value of yes) assert.equal(ask(value), true, JSON.stringify(value))
      for (const value of no) assert.equal(ask(value), false, JSON.stringify(value))
    })
    it(`${JSON.stringify(operators)} takes an absent value as null`, () => {
      const absent = holds({ 'metadata.x': operators }, { metadata: {} })
      assert.equal(absent, ask(null))
      assert.equal(holds({ 'metadata.x': operators }, { metadata: null }), absent)
    })
  }

  it('does not match texts that a client makes long to cost time', () => {
    const condition = compileCondition({ user: { $glob: '*a'.repeat(128) } })
    const began = process.cpuUsage()
    assert.equal(condition(facts({ user: 'a'.repeat(10_000_000) })), false, 'it would match')
    assert.equal(condition(facts({ user: `${'a'.repeat(8_000)}b` })), false)
    const { user, system } = process.cpuUsage(began)
    assert.ok(user + system < 2_000_000, `${user + system} µs`)
  })
})

describe('compileCondition: members together', () => {
  for (const [condition, request, expected] of [
    [{}, {}, true],
    [{ stream: true, model: 'gpt-5' }, { stream: true }, true],
    [{ stream: true, model: 'gpt-5' }, {}, false],
    [{ stream: true, model: 'gpt-4' }, { stream: true }, false],
    [{ $or: [{ stream: true }, { tools: true }] }, { tools: true }, true],
    [{ $or: [{ stream: true }, { tools: true }] }, {}, false],
    [{ $or: [{ stream: true }] }, {}, false],
    [{ $and: [{ stream: true }, { tools: true }] }, { tools: true }, false],
    [{ $and: [{ stream: true }, { tools: true }] }, { tools: true, stream: true }, true],
    [{ $not: { stream: true } }, {}, true],
    [{ $not: { stream: true } }, { stream: true }, false],
    [{ $not: { max_tokens: { $gt: 5 } } }, {}, true],
    [{ $not: {} }, {}, false],
    [{ model: 'gpt-5', $or: [{ user: 'a' }, { $not: { tools: true } }] }, { user: 'b', tools: true }, false],
    [{ model: 'gpt-5', $or: [{ user: 'a' }, { $not: { tools: true } }] }, { user: 'a', tools: true }, true],
  ] as const satisfies readonly (readonly [unknown, Facts, boolean])[]) {
    it(`${JSON.stringify(condition)} of ${JSON.stringify(request)}`, () =>
      assert.equal(holds(condition, request), expected))
  }

  it('asks costly facts only where the answer depends on them', () => {
    let asked = 0
    const request: RequestFacts = { ...facts(), maxTokens: () => (asked++, 3) }
    assert.equal(compileCondition({ stream: true, max_tokens: { $gt: 1 } })(request), false)
    assert.equal(asked, 0)
    assert.equal(compileCondition({ max_tokens: { $gt: 1, $lt: 4 } })(request), true)
    assert.equal(asked, 1)
  })

  it('is not changed by what becomes of the JSON afterwards', () => {
    const plans = ['pro']
    const condition = compileCondition({ 'metadata.plan': { $in: plans } })
    plans.push('free')
    assert.equal(condition(facts({ metadata: { plan: 'free' } })), false)
  })
})

describe('compileCondition: what is no member of its own', () => {
  for (const path of [
    '__proto__',
    'constructor',
    'toString',
    'constructor.name',
    'a.constructor',
    'a.length',
    'list.length',
    'list.0',
  ]) {
    it(`metadata.${path} is absent`, () => {
      const metadata = { a: 'text', list: ['x'] }
      assert.equal(holds({ [`metadata.${path}`]: { $exists: true } }, { metadata }), false)
      assert.equal(holds({ [`metadata.${path}`]: null }, { metadata }), true)
    })
  }

  it('metadata.__proto__ is there where a client sent it', () => {
    const metadata = JSON.parse('{"__proto__": {"admin": true}}') as Record<string, unknown>
    assert.equal(holds({ 'metadata.__proto__.admin': true }, { metadata }), true)
    assert.equal(holds({ 'metadata.admin': true }, { metadata }), false)
  })
})

describe('compileCondition: $percent', () => {
  const USERS = Array.from({ length: 10_000 }, (_, i) => `user-${i}`)
  const share = (condition: unknown): string[] => {
    const test = compileCondition(condition)
    return USERS.filter((user) => test(facts({ user })))
  }

  for (const [from, to] of [
    [0, 10],
    [10, 50],
    [50, 100],
    [99, 100],
    [12.5, 37.5],
  ] as const) {
    it(`takes ${to - from} % of users for [${from}, ${to}), within 2 %`, () => {
      const users = share({ user: { $percent: [from, to] } })
      assert.ok(Math.abs(users.length / 100 - (to - from)) < 2, String(users.length))
    })
  }

  it('puts every user into one part, the same one each time', () => {
    const ranges = [
      [0, 20],
      [20, 55],
      [55, 100],
    ]
    const parts = ranges.map((range) => share({ user: { $percent: range } }))
    assert.deepEqual(parts.flat().sort(), [...USERS].sort())
    assert.deepEqual(share({ user: { $percent: { from: 0, to: 20 } } }), parts[0])
    assert.deepEqual(share({ user: { $percent: { from: 0, to: 20, salt: '' } } }), parts[0])
  })

  it('is the same in every version', () => {
    // SHA-256 of "user-1" begins with c6c289e49e9c, that of "x:user-1" with 5094db40244b.
    assert.equal(holds({ user: { $percent: [77.6405, 77.6406] } }, { user: 'user-1' }), true)
    assert.equal(holds({ user: { $percent: { from: 31.4771, to: 31.4772, salt: 'x' } } }, { user: 'user-1' }), true)
  })

  it('shuffles anew for another salt', () => {
    const [a, b] = ['a', 'b'].map((salt) => new Set(share({ user: { $percent: { from: 0, to: 50, salt } } })))
    const both = USERS.filter((user) => a!.has(user) && b!.has(user)).length
    assert.ok(Math.abs(both / 100 - 25) < 2, String(both))
  })
})

describe('compileCondition: what it refuses', () => {
  const nested = (levels: number): unknown => (levels === 1 ? { stream: true } : { $not: nested(levels - 1) })
  const eleven: unknown = nested(11)
  const wide = (operators: number): unknown => ({
    $or: Array.from({ length: operators - 1 }, () => ({ stream: true })),
  })

  it('nothing of 10 levels and 100 operators', () => {
    compileCondition(nested(10))
    compileCondition(wide(100))
    compileCondition({ model: { $in: Array.from({ length: 1_000 }, (_, i) => `m${i}`) } })
  })

  for (const [condition, path, reason] of [
    [null, [], /must be an object/],
    ['stream', [], /must be an object/],
    [[{ stream: true }], [], /must be an object/],
    [{ streem: true }, ['streem'], /is no field; use .*estimated_input_tokens.*headers\.<name>/],
    [{ metadata: { $exists: true } }, ['metadata'], /metadata\.<path>/],
    [{ 'metadata.': 1 }, ['metadata.'], /each side of a dot/],
    [{ 'metadata.a..b': 1 }, ['metadata.a..b'], /each side of a dot/],
    [{ 'headers.': 'x' }, ['headers.'], /is no header/],
    [{ 'headers.x tier': 'x' }, ['headers.x tier'], /is no header/],
    [{ toString: 1 }, ['toString'], /is no field/],
    [JSON.parse('{"__proto__": 1}'), ['__proto__'], /is no field/],
    [{ $nor: [{ stream: true }] }, ['$nor'], /is no field; use \$and, \$or, \$not/],
    [{ $and: { stream: true } }, ['$and'], /must be a list/],
    [{ $or: [] }, ['$or'], /at least one/],
    [{ $or: [{ stream: true }, 'x'] }, ['$or', 1], /must be an object/],
    [{ $not: [{ stream: true }] }, ['$not'], /must be an object/],
    [{ $or: [{ $and: [{ stream: 'yes' }] }] }, ['$or', 0, '$and', 0, 'stream'], /must be a boolean or null/],
    [{ model: ['a', 'b'] }, ['model'], /"\$in"/],
    [{ model: {} }, ['model'], /needs an operator/],
    [{ model: { $regex: 'a+' } }, ['model', '$regex'], /is no operator; use \$eq, .*\$percent$/],
    [{ model: { $not: { $eq: 'a' } } }, ['model', '$not'], /goes around a field/],
    [{ model: { constructor: 'a' } }, ['model', 'constructor'], /is no operator/],
    [{ model: 5 }, ['model'], /must be a text or null/],
    [{ max_tokens: { $eq: '5' } }, ['max_tokens', '$eq'], /must be a number or null/],
    [{ max_tokens: Infinity }, ['max_tokens'], /must be a number/],
    [{ 'metadata.a': { $eq: { b: 1 } } }, ['metadata.a', '$eq'], /must be a text, a number, a boolean or null/],
    [{ 'metadata.a': { $eq: undefined } }, ['metadata.a', '$eq'], /must be a text/],
    [{ model: { $in: 'gpt' } }, ['model', '$in'], /list of 1 to 1000/],
    [{ model: { $nin: [] } }, ['model', '$nin'], /list of 1 to 1000/],
    [{ model: { $in: Array.from({ length: 1_001 }, () => 'm') } }, ['model', '$in'], /list of 1 to 1000/],
    [{ model: { $in: ['a', 5] } }, ['model', '$in', 1], /must be a text or null/],
    [{ model: { $gt: 5 } }, ['model', '$gt'], /compares numbers, and the field is a text/],
    [{ stream: { $lte: 5 } }, ['stream', '$lte'], /compares numbers, and the field is a boolean/],
    [{ max_tokens: { $gt: '5' } }, ['max_tokens', '$gt'], /must be a number/],
    [{ max_tokens: { $exists: 1 } }, ['max_tokens', '$exists'], /must be true or false/],
    [{ max_tokens: { $glob: '5*' } }, ['max_tokens', '$glob'], /matches texts/],
    [{ model: { $glob: 5 } }, ['model', '$glob'], /must be a text/],
    [{ model: { $glob: '*'.repeat(257) } }, ['model', '$glob'], /at most 256/],
    [{ stream: { $percent: [0, 10] } }, ['stream', '$percent'], /splits by texts/],
    [{ user: { $percent: 10 } }, ['user', '$percent'], /must be \[from, to\]/],
    [{ user: { $percent: [10, 10] } }, ['user', '$percent'], /from < to/],
    [{ user: { $percent: [-1, 10] } }, ['user', '$percent'], /0 <= from/],
    [{ user: { $percent: [0, 101] } }, ['user', '$percent'], /to <= 100/],
    [{ user: { $percent: [0, 10, 'x'] } }, ['user', '$percent'], /must be \[from, to\]/],
    [{ user: { $percent: { from: 0 } } }, ['user', '$percent'], /must be \[from, to\]/],
    [{ user: { $percent: { from: 0, to: 1, sald: 'x' } } }, ['user', '$percent'], /must be \[from, to\]/],
    [{ user: { $percent: { from: 0, to: 1, salt: 1 } } }, ['user', '$percent'], /must be \[from, to\]/],
    [eleven, Array.from({ length: 10 }, () => '$not'), /deeper than 10 levels/],
    [wide(101), ['$or', 99, 'stream'], /at most 100/],
  ] as const) {
    it(`${(JSON.stringify(condition) ?? '').slice(0, 90)}, at ${path.join('.').slice(0, 60) || 'its root'}`, () => {
      assert.throws(
        () => compileCondition(condition),
        (error) => {
          assert.ok(error instanceof ConditionError)
          assert.deepEqual(error.path, path)
          assert.match(error.reason, reason)
          assert.equal(error.message, `${path.join('.') || 'condition'}: ${error.reason}`)
          return true
        },
      )
    })
  }
})
