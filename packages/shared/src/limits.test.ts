import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { budgetPolicy, limitsPolicy, maxRequests, NO_LIMITS, windowEnd, windowOf } from './limits.ts'

const at = Date.parse

describe('a budget', () => {
  for (const limitUsd of ['0', '0.000000000001', '12.50', '1000000000']) {
    it(`may be ${limitUsd}`, () => assert.equal(budgetPolicy.parse({ limitUsd, period: 'DAY' }).limitUsd, limitUsd))
  }
  for (const limitUsd of ['-1', '', '1e3', '0.1234567890123', '1000000001', 'Infinity', '9'.repeat(400), 5, null]) {
    it(`may not be ${JSON.stringify(limitUsd).slice(0, 20)}`, () => {
      assert.equal(budgetPolicy.safeParse({ limitUsd, period: 'DAY' }).success, false)
    })
  }
  it('has one of three periods, and nothing else', () => {
    assert.equal(budgetPolicy.safeParse({ limitUsd: '1', period: 'YEAR' }).success, false)
    assert.equal(budgetPolicy.safeParse({ limitUsd: '1', period: 'DAY', spentUsd: '0' }).success, false)
  })
})

describe('limits', () => {
  it('are whole numbers of 32 bits from 1 on, or none', () => {
    assert.deepEqual(limitsPolicy.parse(NO_LIMITS), NO_LIMITS)
    for (const name of Object.keys(NO_LIMITS)) {
      const fits = (value: unknown): boolean => limitsPolicy.safeParse({ ...NO_LIMITS, [name]: value }).success
      for (const value of [1, 2_147_483_647]) assert.ok(fits(value), `${name} ${value}`)
      for (const value of [0, -1, 1.5, 2_147_483_648, Number.NaN, '1']) assert.ok(!fits(value), `${name} ${value}`)
    }
    assert.equal(maxRequests.safeParse(0).success, false)
    assert.equal(maxRequests.safeParse(1).success, true)
  })
})

describe('the window of a budget', () => {
  for (const [period, moment, window, end] of [
    ['DAY', '2026-11-20T00:00:00.000Z', '2026-11-20', '2026-11-21T00:00:00.000Z'],
    ['DAY', '2026-11-20T23:59:59.999Z', '2026-11-20', '2026-11-21T00:00:00.000Z'],
    ['DAY', '2026-12-31T12:00:00+14:00', '2026-12-30', '2026-12-31T00:00:00.000Z'],
    ['MONTH', '2026-12-31T23:59:59.999Z', '2026-12', '2027-01-01T00:00:00.000Z'],
    ['MONTH', '2028-02-29T00:00:00.000Z', '2028-02', '2028-03-01T00:00:00.000Z'],
    ['TOTAL', '2026-11-20T00:00:00.000Z', 'total', null],
  ] as const) {
    it(`of ${period} at ${moment} is ${window}`, () => {
      assert.equal(windowOf(period, at(moment)), window)
      assert.equal(windowEnd(period, at(moment)), end && at(end))
    })
  }
})
