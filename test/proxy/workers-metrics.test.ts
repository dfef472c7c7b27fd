/** What has counted up in workers that ended stays counted. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { WorkerLinks } from '../helpers/worker-links.ts'

const counting = (value: number) => [
  { help: 'x', name: 'x_total', type: 'counter', values: [{ value, labels: {} }], aggregator: 'sum' },
]

suite('counters of workers', () => {
  test('never go back, even if several workers end at once', async () => {
    using links = new WorkerLinks()
    const workers = [1, 20, 300].map((count) => links.open({ metrics: () => counting(count) }))
    const { channel } = links.open({ metrics: () => counting(4_000) })
    const total = async () => /^x_total (\d+)$/m.exec(await channel.ask('metrics', null, 20_000))?.[1]
    assert.equal(await total(), '4321')
    for (const { die } of workers) die()
    assert.equal(await total(), '4321')
  })
})
