import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  blendedPrice,
  costOf,
  flatRates,
  picodollarsOf,
  routePrice,
  type OwnPrices,
  type Price,
  type PriceTier,
} from './cost.ts'
import { NO_USAGE, type TokenUsage } from './usage.ts'

const usage = (
  inputTokens: number,
  outputTokens: number,
  cachedInputTokens = 0,
  more: Partial<TokenUsage> = {},
): TokenUsage => ({ ...NO_USAGE, inputTokens, outputTokens, cachedInputTokens, source: 'PROVIDER', ...more })
const price = (
  input: number,
  output: number,
  cachedInput = input,
  { tiers = [], ...more }: Partial<Price> = {},
): Price => ({ ...flatRates(input, output), cachedInput, cachedInputAudio: cachedInput, ...more, tiers })
const tier = (above: number, input: number, output: number, cachedInput: number): PriceTier => ({
  ...flatRates(input, output),
  cachedInput,
  cachedInputAudio: cachedInput,
  above,
})
const own = (
  inputPrice: number | null,
  outputPrice: number | null,
  cachedInputPrice: number | null = null,
): OwnPrices => ({ inputPrice, outputPrice, cachedInputPrice })

describe('costOf', () => {
  const TIERED = price(1, 10, 0.1, { tiers: [tier(1_000, 4, 40, 0.4), tier(100, 2, 20, 0.2)] })

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

  const AUDIO = price(4, 16, 0.4, { inputAudio: 32, cachedInputAudio: 0.8, outputAudio: 64, cacheWrite: 5 })
  for (const [what, tokens, at, expected] of [
    ['audio', usage(100, 50, 0, { inputAudioTokens: 60, outputAudioTokens: 20 }), AUDIO, '0.00384'],
    ['text as cached before audio', usage(100, 0, 70, { inputAudioTokens: 60 }), AUDIO, '0.001'],
    ['audio that was cached whole', usage(60, 0, 60, { inputAudioTokens: 60 }), AUDIO, '0.000048'],
    ['no more audio than tokens', usage(10, 10, 0, { inputAudioTokens: 11, outputAudioTokens: 11 }), AUDIO, '0.00096'],
    ['what is put into the cache', usage(100, 0, 20, { cacheWriteTokens: 30 }), AUDIO, '0.000358'],
    [
      'what is put into the cache for an hour',
      usage(100, 0, 20, { cacheWriteTokens: 30, cacheWrite1hTokens: 10 }),
      { ...AUDIO, cacheWrite1h: 8 },
      '0.000388',
    ],
    ['images', usage(0, 30, 0, { outputImageTokens: 20 }), { ...AUDIO, outputImage: 100 }, '0.00216'],
    ['no more put into the cache than text', usage(10, 0, 4, { cacheWriteTokens: 20 }), AUDIO, '0.0000316'],
    ['reasoning as output', usage(0, 10, 0, { reasoningTokens: 8 }), price(1, 2), '0.00002'],
    [
      'reasoning at its own rate',
      usage(0, 10, 0, { reasoningTokens: 8 }),
      price(1, 2, 1, { reasoning: 3 }),
      '0.000028',
    ],
    ['the request itself', usage(1_000, 0), price(1, 1, 1, { request: 12_000 }), '0.013'],
  ] as const) {
    it(`counts ${what}: ${expected}`, () => assert.equal(costOf(tokens, at), expected))
  }

  it('is exact, of however many decimals', () => {
    const whole = (most: number): number => Math.floor(Math.random() * most)
    for (let i = 0; i < 20_000; i++) {
      const decimals = i % 13
      const rates = [0, 1, 2].map(() => whole(10 ** Math.min(decimals + 3, 15)))
      const [input, output, cached] = rates.map((rate) => Number(`${rate}e-${decimals}`)) as [number, number, number]
      const [inputTokens, outputTokens] = [whole(2 ** (i % 31)), whole(2_147_483_647)]
      const cachedTokens = whole(inputTokens)
      const exact = [inputTokens - cachedTokens, outputTokens, cachedTokens]
        .map((tokens, at) => BigInt(tokens) * BigInt(rates[at]!) * 10n ** BigInt(12 - decimals))
        .reduce((sum, part) => sum + part)
      const tokens = usage(inputTokens, outputTokens, cachedTokens)
      assert.equal(
        picodollarsOf(tokens, price(input, output, cached)),
        (exact + 500_000n) / 1_000_000n,
        JSON.stringify([tokens, input, output, cached]),
      )
    }
  })

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
    const at = price(2.5, 10, 1.25, { tiers: [tier(200_000, 5, 20, 2.5)] })
    let best = Infinity
    // Some tries, for a machine that has other things to do.
    for (const until = performance.now() + 10_000; best >= 1 && performance.now() < until;) {
      const before = performance.now()
      for (let i = 0; i < 20_000; i++) costOf(tokens, at)
      best = Math.min(best, (performance.now() - before) / 20)
    }
    assert.ok(best < 1, `${best} µs`)
  })
})

describe('routePrice', () => {
  const LIST = price(2, 8, 0.5, { tiers: [tier(100, 4, 16, 1)] })

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
      price(6, 8, 1.5, { tiers: [tier(100, 6, 16, 1.5)] }),
    ],
    ['its own cached input', own(null, null, 0), LIST, price(2, 8, 0, { tiers: [tier(100, 4, 16, 0)] })],
    ['nothing to pay', own(0, 0), null, price(0, 0, 0)],
    ['its own over a free one', own(3, 4), price(0, 0, 0), price(3, 4, 3)],
    [
      'audio, reasoning and what is put into the cache in proportion',
      own(8, 4, 1),
      price(4, 16, 2, {
        cacheWrite: 5,
        inputAudio: 32,
        cachedInputAudio: 3,
        outputAudio: 64,
        reasoning: 12,
        request: 7,
      }),
      price(8, 4, 1, { cacheWrite: 10, inputAudio: 64, cachedInputAudio: 1.5, outputAudio: 16, reasoning: 3 }),
    ],
    [
      'a price by request that it does not replace',
      own(8, null),
      price(4, 16, 4, { request: 7 }),
      price(8, 16, 8, { request: 7 }),
    ],
    ['without the noise of a float', own(0.3, 1), price(0.1, 1, 0.07), price(0.3, 1, 0.21)],
  ] as const) {
    it(name, () => assert.deepEqual(routePrice(prices, list), expected))
  }
})

describe('blendedPrice', () => {
  it('weighs input and output by what is expected, at the tier of the input', () => {
    const at = price(1, 4, 0, { tiers: [tier(1_000, 2, 8, 0)] })
    assert.equal(blendedPrice(at, 750, 250), 1.75)
    assert.equal(blendedPrice(at, 3_000, 1_000), 3.5)
    assert.equal(blendedPrice(at, 0, 0), 2.5)
  })
})
