import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { blendedPrice, costOf, routePrice, type OwnPrices, type Price } from './cost.ts'
import type { TokenUsage } from './usage.ts'

const usage = (inputTokens: number, outputTokens: number, cachedInputTokens = 0): TokenUsage => ({
  inputTokens,
  outputTokens,
  cachedInputTokens,
  reasoningTokens: 0,
  source: 'PROVIDER',
})
const price = (input: number, output: number, cachedInput = input, tiers: Price['tiers'] = []): Price => ({
  input,
  output,
  cachedInput,
  tiers,
})
const own = (
  inputPrice: number | null,
  outputPrice: number | null,
  cachedInputPrice: number | null = null,
): OwnPrices => ({ inputPrice, outputPrice, cachedInputPrice })

describe('costOf', () => {
  const TIERED = price(1, 10, 0.1, [
    { above: 1_000, input: 4, output: 40, cachedInput: 0.4 },
    { above: 100, input: 2, output: 20, cachedInput: 0.2 },
  ])

  for (const [tokens, at, expected] of [
    [usage(0, 0), price(1, 2), '0'],
    [usage(1_000, 500), price(0, 0), '0'],
    [usage(1_000_000, 0), price(1, 2), '1'],
    [usage(10_000_000, 0), price(1, 2), '10'],
    [usage(1_000, 10), price(2.5, 10), '0.0026'],
    [usage(1_000, 10, 500), price(2.5, 10, 1.25), '0.001975'],
    [usage(100, 0, 500), price(2.5, 10, 1.25), '0.000125'],
    [usage(1, 0), price(0.05, 0.4), '0.00000005'],
    [usage(1, 0), price(0.000_001, 0), '0.000000000001'],
    [usage(1, 0), price(0.000_000_1, 0), '0'],
    [usage(3, 7), price(0.1, 0.7), '0.0000052'],
    [usage(99_999_999, 0), price(1.1, 0), '109.9999989'],
    [usage(99_999_999, 1), price(75, 0.000_001), '7499.999925000001'],
    [usage(100, 1), TIERED, '0.00011'],
    [usage(101, 1), TIERED, '0.000222'],
    [usage(1_000, 1, 1_000), TIERED, '0.00022'],
    [usage(1_001, 0), TIERED, '0.004004'],
  ] as const) {
    it(`${JSON.stringify([tokens.inputTokens, tokens.outputTokens, tokens.cachedInputTokens])} at ${at.input}: ${expected}`, () => {
      assert.equal(costOf(tokens, at), expected)
    })
  }

  it('is a plain decimal that a record takes, of whatever prices', () => {
    for (const amount of [1e-12, 1e-7, 0.3, 1, 12_345.678, 1e9, 1e12]) {
      const cost = costOf(usage(2_147_483_647, 1), price(amount, amount))
      assert.match(cost, /^\d{1,20}(\.\d{0,11}[1-9])?$/)
      const exact = (2_147_483_648 * amount) / 1e6
      assert.ok(Math.abs(Number(cost) - exact) <= 1e-12 + exact * 1e-12, `${amount}: ${cost}`)
    }
    assert.match(costOf(usage(2_147_483_647, 1), price(1e300, 0)), /^\d{1,20}(\.\d{1,12})?$/)
  })

  it('takes less than a microsecond', () => {
    const tokens = usage(1_234, 567, 1_000)
    const at = price(2.5, 10, 1.25, [{ above: 200_000, input: 5, output: 20, cachedInput: 2.5 }])
    const times = Array.from({ length: 5 }, () => {
      const before = performance.now()
      for (let i = 0; i < 20_000; i++) costOf(tokens, at)
      return (performance.now() - before) / 20
    })
    assert.ok(Math.min(...times) < 1, `${times.join(' ')} µs`)
  })
})

describe('routePrice', () => {
  const LIST = price(2, 8, 0.5, [{ above: 100, input: 4, output: 16, cachedInput: 1 }])

  for (const [name, prices, list, expected] of [
    ['nothing', own(null, null), null, null],
    ['the list', own(null, null), LIST, LIST],
    ['its own', own(3, 4), null, price(3, 4)],
    ['its own with cached input', own(3, 4, 1), null, price(3, 4, 1)],
    ['nothing of input alone', own(3, null), null, null],
    ['nothing of output alone', own(null, 4), null, null],
    [
      'its own input, and the rest in proportion',
      own(6, null),
      LIST,
      price(6, 8, 1.5, [{ above: 100, input: 6, output: 16, cachedInput: 1.5 }]),
    ],
    [
      'its own cached input',
      own(null, null, 0),
      LIST,
      price(2, 8, 0, [{ above: 100, input: 4, output: 16, cachedInput: 0 }]),
    ],
    ['nothing to pay', own(0, 0), null, price(0, 0, 0)],
    ['its own over a free one', own(3, 4), price(0, 0, 0), price(3, 4, 3)],
  ] as const) {
    it(name, () => assert.deepEqual(routePrice(prices, list), expected))
  }
})

describe('blendedPrice', () => {
  it('weighs input and output by what is expected, at the tier of the input', () => {
    const at = price(1, 4, 0, [{ above: 1_000, input: 2, output: 8, cachedInput: 0 }])
    assert.equal(blendedPrice(at, 750, 250), 1.75)
    assert.equal(blendedPrice(at, 3_000, 1_000), 3.5)
    assert.equal(blendedPrice(at, 0, 0), 2.5)
  })
})
