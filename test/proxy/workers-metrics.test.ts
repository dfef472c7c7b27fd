/** What workers tell of themselves, as one proxy's: what has counted up in those that ended stays counted. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import type { Readiness } from '../../packages/proxy/dist/readiness.js'
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

test('/readyz tells of the records that wait in no worker, too', async () => {
  using links = new WorkerLinks()
  const control = { state: 'away', since: new Date().toISOString() } as const
  const records = { queued: 3, spooled: 1, dropped: 0 }
  const readiness: Readiness = { revision: 7, problem: null, control, redis: 'none', limits: 'local', records }
  links.open({ readiness: () => readiness })
  const { channel } = links.open({ readiness: () => readiness })
  Object.assign(links.records, { length: 40, inMemory: 10, dropped: 2 })
  const told = await channel.ask('readiness', null, 20_000)
  assert.deepEqual(told.records, { queued: 46, spooled: 32, dropped: 2 })
})
