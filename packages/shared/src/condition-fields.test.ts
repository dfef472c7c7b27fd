import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { conditionFields, ConditionError } from './condition.ts'

describe('conditionFields', () => {
  for (const [condition, fields] of [
    [{}, []],
    [{ model: 'm' }, ['model']],
    [{ stream: true, max_tokens: { $gt: 1, $lt: 5 } }, ['stream', 'max_tokens']],
    [{ user: { $percent: [0, 10] } }, ['user']],
    [{ 'metadata.a.B': { $exists: true }, 'headers.X-Tier': 'gold' }, ['metadata.a.B', 'headers.x-tier']],
    [{ 'metadata.$and': 1 }, ['metadata.$and']],
    [
      { $or: [{ token: 't' }, { $and: [{ project: 'p' }, { $not: { tools: true } }] }], model: { $in: ['user'] } },
      ['token', 'project', 'tools', 'model'],
    ],
  ] as const) {
    it(`of ${JSON.stringify(condition)}`, () => assert.deepEqual([...conditionFields(condition)], fields))
  }

  it('of none that can not be compiled', () => {
    for (const condition of [null, [], { moon: 1 }, { $or: [] }, { model: { $regex: 'x' } }, { $not: [{ user: 'u' }] }])
      assert.throws(() => conditionFields(condition), ConditionError)
  })
})
