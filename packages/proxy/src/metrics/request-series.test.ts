import assert from 'node:assert/strict'
import { it } from 'node:test'

import { Registry } from 'prom-client'

import { addRequestMetrics } from './read-requests.ts'
import { OTHER, RequestSeries } from './request-series.ts'

const ENDPOINTS = ['/v1/chat/completions', '/v1/embeddings']

/** One request each. */
function count(series: RequestSeries, alias: string, provider: string, endpoint: string, status: number): void {
  const path = series.pathOf(series.pairOf(alias, provider), endpoint)
  series.countStatus(path, status)
  path.duration.observe(0.1)
  series.overheadOf(endpoint).observe(0.001)
  series.outcomeOf(provider, 'success').count++
}

it('has an end, whatever comes, and loses nothing', async () => {
  const series = new RequestSeries()
  let requests = 0
  for (let i = 0; i < 5_000; i++)
    for (const endpoint of [...ENDPOINTS, `/v1/made/up/${i}`])
      for (const status of [200, 400 + (i % 100)]) {
        count(series, `alias-${i}`, `provider-${i % 3_000}`, endpoint, status)
        requests++
      }
  const registry = new Registry()
  addRequestMetrics(registry, series)
  for (const { name, values } of await registry.getMetricsAsJSON()) {
    const sets = values.filter(({ labels }) => labels['le'] === undefined || labels['le'] === '+Inf')
    assert.ok(sets.length <= 2_700, `${name}: ${sets.length}`)
  }
  const [first] = await registry.getMetricsAsJSON()
  assert.equal(
    first!.values.reduce((sum, { value }) => sum + value, 0),
    requests,
  )
  const [pair] = series.pairs
  count(series, pair!.alias, pair!.provider, ENDPOINTS[0]!, 200)
  assert.equal(pair!.paths[0]!.counts[0], 2, 'those that were there first stay their own')
})

it('keeps a provider apart for as long as there is room, though its aliases are not', () => {
  const series = new RequestSeries()
  for (let i = 0; i < 2_000; i++) count(series, `alias-${i}`, `provider-${i % 2}`, ENDPOINTS[0]!, 200)
  const other = series.pairs.filter(({ alias }) => alias === OTHER)
  assert.deepEqual(other.map(({ provider }) => provider).sort(), ['provider-0', 'provider-1'])
})
