import assert from 'node:assert/strict'
import { test } from 'node:test'

import { compareDecimals } from './decimal.ts'

test('decimals are compared by their value, however they are spelt', () => {
  for (const [a, b, expected] of [
    ['0', '0.000', 0],
    ['10', '9', 1],
    ['009', '10', -1],
    ['0.1', '0.09', 1],
    ['1.5', '1.50', 0],
    ['0.10000000000000000001', '0.1', 1],
    ['12345678901234567890', '12345678901234567891', -1],
  ] as const) {
    assert.equal(compareDecimals(a, b), expected, `${a} ${b}`)
    assert.equal(compareDecimals(b, a), expected === 0 ? 0 : -expected, `${b} ${a}`)
  }
})
