import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { mergeReadiness, type Readiness } from './readiness.ts'

const at = (second: number): string => `2026-11-20T21:03:0${second}.000Z`
const READY: Readiness = {
  revision: 7,
  problem: null,
  control: { state: 'connected', since: at(1) },
  redis: 'up',
  limits: 'redis',
  records: { queued: 3, spooled: 1, dropped: 0 },
}

describe('mergeReadiness', () => {
  it('tells the worst of its workers, and all records', () => {
    const away = { state: 'away', since: at(3) } as const
    const stale: Readiness = { ...READY, revision: 6, problem: 'stale', control: away, redis: 'down' }
    const local: Readiness = { ...READY, control: { state: 'away', since: at(2) }, limits: 'local (redis is away)' }
    const others = { queued: 40, spooled: 40, dropped: 2 }
    assert.deepEqual(mergeReadiness([READY, stale, local], 3, [others]), {
      revision: 6,
      problem: 'stale',
      control: local.control,
      redis: 'down',
      limits: 'local (redis is away)',
      records: { queued: 49, spooled: 43, dropped: 2 },
      workers: { ready: 2, of: 3 },
    })
  })

  it('is connected since the last of them is', () => {
    const later = { state: 'connected', since: at(2) } as const
    assert.deepEqual(mergeReadiness([{ ...READY, control: later }, READY], 2).control, later)
  })

  it('is not ready while a worker says nothing', () => {
    const { problem, workers } = mergeReadiness([READY], 2)
    assert.deepEqual([problem, workers], ['1 of 2 workers are ready', { ready: 1, of: 2 }])
    assert.equal(mergeReadiness([READY, READY], 2).problem, null)
    assert.deepEqual(mergeReadiness([], 1).control, null)
  })
})
