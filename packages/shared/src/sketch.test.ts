import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { bucketOf, quantile, SKETCH_BUCKETS } from './sketch.ts'

type Sketch = [bucket: number, count: number][]

function sketchOf(times: readonly number[]): Sketch {
  const counts = new Map<number, number>()
  for (const time of times) counts.set(bucketOf(time), (counts.get(bucketOf(time)) ?? 0) + 1)
  return [...counts]
}

/** The nearest rank of what was really measured. */
function exactly(times: readonly number[], q: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!
}

/** Even steps through a distribution, by its inverse. */
const steps = (n: number, inverse: (p: number) => number): number[] =>
  Array.from({ length: n }, (_, i) => inverse((i + 0.5) / n))

const DISTRIBUTIONS = {
  even: steps(1_000, (p) => 1 + p * 999),
  exponential: steps(5_000, (p) => 0.1 - Math.log(1 - p) * 250),
  'of a heavy tail': steps(5_000, (p) => 80 / (1 - p) ** (1 / 1.2)),
  'of two peaks': [...steps(900, (p) => 20 + p), ...steps(100, (p) => 30_000 + p * 500)],
  'of one time': [123.4, 123.4, 123.4],
  'of hours': [3_600_000, 36_000_000, 140_000_000],
  tiny: [0.11, 0.2, 0.35],
} as const satisfies Record<string, readonly number[]>

describe('quantile', () => {
  for (const [name, times] of Object.entries(DISTRIBUTIONS)) {
    it(`is off by at most 5 % of times ${name}`, () => {
      const sketch = sketchOf(times)
      for (const q of [0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1]) {
        const [found, exact] = [quantile(sketch, q)!, exactly(times, q)]
        assert.ok(Math.abs(found / exact - 1) <= 0.05, `p${q * 100}: ${found}, exactly ${exact}`)
      }
    })
  }

  it('is off by at most 5 % at every time within the range', () => {
    for (let time = 0.101; time < 147_000_000; time *= 1.003) {
      const found = quantile([[bucketOf(time), 1]], 0.5)!
      assert.ok(Math.abs(found / time - 1) <= 0.05, `${time}: ${found}`)
    }
  })

  it('is the same of several sketches put together, in any order', () => {
    const times = [...DISTRIBUTIONS.exponential, ...DISTRIBUTIONS['of two peaks']]
    const parts = [0, 1, 2].map((part) => sketchOf(times.filter((_, i) => i % 3 === part)))
    for (const q of [0.5, 0.95, 0.99]) {
      assert.equal(quantile(parts.flat().toReversed(), q), quantile(sketchOf(times), q))
    }
  })

  it('grows with the share', () => {
    const sketch = sketchOf(DISTRIBUTIONS.exponential)
    const found = Array.from({ length: 101 }, (_, i) => quantile(sketch, i / 100)!)
    assert.deepEqual(
      found,
      found.toSorted((a, b) => a - b),
    )
  })

  it('of nothing is null', () => {
    assert.equal(quantile([], 0.5), null)
    assert.equal(quantile([[3, 0]], 0.5), null)
  })
})

describe('bucketOf', () => {
  for (const [time, bucket] of [
    [0, 0],
    [-1, 0],
    [Number.NaN, 0],
    [0.1, 0],
    [0.100_001, 1],
    [41 * 3_600_000, SKETCH_BUCKETS - 1],
    [Number.MAX_VALUE, SKETCH_BUCKETS - 1],
    [Infinity, SKETCH_BUCKETS - 1],
  ] as const) {
    it(`of ${time} is ${bucket}`, () => assert.equal(bucketOf(time), bucket))
  }

  it('leaves no time between buckets', () => {
    let last = 0
    for (let time = 0.05; time < 1e9; time *= 1.01) {
      const bucket = bucketOf(time)
      assert.ok(bucket === last || bucket === last + 1, `${time}: ${last}, ${bucket}`)
      last = bucket
    }
    assert.equal(last, SKETCH_BUCKETS - 1)
  })
})
