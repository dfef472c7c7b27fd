import assert from 'node:assert/strict'
import { it } from 'node:test'

import { Counter, Gauge, Histogram, Registry } from 'prom-client'

import { countersOf, mergeMetrics } from './merge.ts'
import type { MetricsJson } from './metrics.ts'

async function worker(count: number, gauge: number, revision: number): Promise<MetricsJson> {
  const registers = [new Registry()]
  new Counter({ name: 'c', help: 'c', labelNames: ['of'], registers }).inc({ of: 'a' }, count)
  new Gauge({ name: 'g', help: 'g', registers }).set(gauge)
  new Gauge({ name: 'r', help: 'r', registers, aggregator: 'min' }).set(revision)
  new Histogram({ name: 'h', help: 'h', buckets: [1, 2], registers }).observe(count)
  return registers[0]!.getMetricsAsJSON()
}

const valuesOf = (text: string): string[] => text.split('\n').filter((line) => /^[cghr]/.test(line))

it('adds what workers say, but for what has a rule of its own', async () => {
  assert.deepEqual(valuesOf(await mergeMetrics([await worker(1, 3, 7), await worker(2, 4, 6)])), [
    'c{of="a"} 3',
    'g 7',
    'r 6',
    'h_bucket{le="1"} 1',
    'h_bucket{le="2"} 2',
    'h_bucket{le="+Inf"} 2',
    'h_sum 3',
    'h_count 2',
  ])
})

it('keeps of those that have ended what counts up, and no more however many they were', async () => {
  let kept: MetricsJson = []
  for (let i = 0; i < 5; i++) kept = await countersOf([kept, await worker(2, 9, 1)])
  assert.equal(kept.length, 2)
  assert.deepEqual(valuesOf(await mergeMetrics([await worker(1, 3, 7), kept])), [
    'c{of="a"} 11',
    'g 3',
    'r 7',
    'h_bucket{le="1"} 1',
    'h_bucket{le="2"} 6',
    'h_bucket{le="+Inf"} 6',
    'h_sum 11',
    'h_count 6',
  ])
})
