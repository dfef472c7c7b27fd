import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { fromPicodollars, roundedUp, toPicodollars } from './money.ts'

describe('money', () => {
  for (const [decimal, amount] of [
    ['0', 0n],
    ['0.000000000001', 1n],
    ['1', 1_000_000_000_000n],
    ['10', 10_000_000_000_000n],
    ['0.1', 100_000_000_000n],
    ['12.000000000034', 12_000_000_000_034n],
    [`${'9'.repeat(31)}.${'9'.repeat(12)}`, 10n ** 43n - 1n],
  ] as const) {
    it(`reads and writes ${decimal}`, () => {
      assert.equal(toPicodollars(decimal), amount)
      assert.equal(fromPicodollars(amount), decimal)
      if (amount > 0n) assert.equal(fromPicodollars(-amount), `-${decimal}`)
    })
  }

  for (const [decimal, up] of [
    ['0.123456789012', '0.123456789012'],
    ['0.1234567890120', '0.123456789012'],
    ['0.12345678901200000001', '0.123456789013'],
    ['1.99999999999999', '2'],
    ['0', '0'],
  ] as const) {
    it(`rounds ${decimal} up to ${up}`, () => assert.equal(roundedUp(decimal), up))
  }

  it('reads what is spelt longer than need be', () => {
    assert.equal(toPicodollars('007.50'), 7_500_000_000_000n)
  })

  for (const text of ['', '-1', '+1', '1e3', '.5', '5.', '1,5', ' 1', '0.1234567890123', 'NaN', '1'.repeat(32)]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => toPicodollars(text), RangeError))
  }
})
