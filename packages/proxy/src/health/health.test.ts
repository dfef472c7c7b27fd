import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { newId, parseHealth, quantile } from '@millrace/shared'

import { Health } from './health.ts'
import { PeakEwma } from './peak-ewma.ts'
import { RecentTimes } from './recent-times.ts'
import { RetryBudget } from './retry-budget.ts'
import { SlidingWindow } from './window.ts'

describe('SlidingWindow', () => {
  it('forgets by and by what is too old', () => {
    const window = new SlidingWindow(1_000)
    for (let at = 0; at < 1_000; at += 100) window.add(at, at % 200 === 0)
    assert.deepEqual([window.total, window.marked], [10, 5])
    window.roll(1_450)
    assert.deepEqual([window.total, window.marked], [5, 2])
    window.roll(100_000)
    assert.deepEqual([window.total, window.marked], [0, 0])
    window.add(100_050, true)
    assert.deepEqual([window.total, window.marked], [1, 1])
  })
})

describe('PeakEwma', () => {
  it('believes a longer time at once and a shorter one slowly', () => {
    const times = new PeakEwma()
    times.observe(100, 0)
    times.observe(900, 10)
    assert.equal(times.value, 900)
    times.observe(100, 20)
    assert.ok(times.value > 800 && times.value < 900, String(times.value))
    times.observe(100, 60_000)
    assert.ok(times.value < 110, 'after a minute the old times count for nothing')
  })

  it('takes a time that was not waited for as a bound from below', () => {
    const times = new PeakEwma()
    times.observeAtLeast(50, 0)
    assert.equal(times.value, 50)
    times.observeAtLeast(20, 1)
    assert.equal(times.value, 50)
    times.observeAtLeast(80, 2)
    assert.equal(times.value, 80)
  })
})

describe('RecentTimes', () => {
  it('remembers a minute at least and two at most', () => {
    const times = new RecentTimes()
    for (let i = 1; i <= 100; i++) times.add(i, 1_000)
    const median = quantile(times.countsAt(59_000), 0.5)!
    assert.ok(Math.abs(median - 50) < 3, String(median))
    assert.equal(times.countsAt(62_000).length > 0, true)
    assert.deepEqual(times.countsAt(130_000), [])
  })
})

describe('RetryBudget', () => {
  it('grants a few, and a fifth of many', () => {
    const budget = new RetryBudget()
    const granted = (now: number): number => {
      let count = 0
      while (budget.take(now)) count++
      return count
    }
    assert.equal(granted(0), 10)
    for (let i = 0; i < 1_000; i++) budget.request(1_000)
    assert.equal(granted(1_000), 190)
    assert.equal(granted(20_000), 10, 'what is past counts no more')
  })
})

describe('Health', () => {
  it('reports upstream keys that rest, and those that can not be used', () => {
    const health = new Health(
      () => {},
      () => {},
    )
    const [unopened, resting, good] = [newId(), newId(), newId()]
    health.apply({ providers: [], aliases: [] }, [unopened])
    health.credentialOf(good)
    health.credentialOf(resting).coolingUntil = performance.now() + 60_000
    const report = health.report()
    assert.deepEqual(
      report.credentials.map(({ credentialId, unusable }) => [credentialId, unusable]),
      [
        [unopened, true],
        [resting, false],
      ],
    )
    assert.deepEqual(parseHealth(JSON.parse(JSON.stringify(report))), report)
  })
})
