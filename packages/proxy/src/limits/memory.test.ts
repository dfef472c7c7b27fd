import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { newId } from '@millrace/shared'

import { MemoryLimits } from './memory.ts'
import type { Claim, LimitedSubject } from './store.ts'

const DAY_MS = 86_400_000
const ABOUT = {} as Claim['about']

function subject(limits: Partial<LimitedSubject>): LimitedSubject {
  const none = { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null, maxRequests: null }
  return { kind: 'token', id: newId(), ...none, budget: null, used: null, ...limits }
}

function claim(one: LimitedSubject, at = Date.now()): Claim {
  return { id: newId(), at, subjects: [one], tokens: 10, cost: 1n, about: ABOUT }
}

function sweepAll(limits: MemoryLimits): void {
  for (let i = 0; i < 100; i++) limits.sweep()
}

suite('what limits in memory remember', () => {
  test('goes when nobody would miss it', () => {
    let now = 0
    const limits = new MemoryLimits(null, () => now)
    const subjects = Array.from({ length: 20_000 }, () => subject({ requestsPerMinute: 10, maxConcurrent: 1 }))
    const claims = subjects.map((one) => claim(one))
    for (const each of claims) limits.admit(each)
    sweepAll(limits)
    assert.equal(limits.size, 20_000)
    for (const each of claims.slice(1)) limits.settle(each, { tokens: 10, cost: 1n, counted: true })
    sweepAll(limits)
    assert.equal(limits.size, 20_000, 'their rates are not there in full again')
    now = 60_000
    sweepAll(limits)
    assert.equal(limits.size, 1, 'what is under way stays')
  })

  test('is every sum of a window that has not ended', () => {
    let now = 0
    const limits = new MemoryLimits(null, () => now)
    const [today, ended, ever] = [
      subject({ budget: { limit: 5n, period: 'DAY' } }),
      subject({ budget: { limit: 5n, period: 'DAY' } }),
      subject({ maxRequests: 5 }),
    ]
    for (const [one, at] of [
      [today, Date.now()],
      [ended, Date.now() - 3 * DAY_MS],
      [ever, Date.now()],
    ] as const) {
      const each = claim(one, at)
      limits.admit(each)
      limits.settle(each, { tokens: 10, cost: 1n, counted: true })
    }
    now = 20 * DAY_MS
    sweepAll(limits)
    assert.deepEqual(new Set([...limits.sums()].map(({ subjectId }) => subjectId)), new Set([today.id, ever.id]))
    now = 41 * DAY_MS
    sweepAll(limits)
    assert.deepEqual(
      [...limits.sums()].map(({ subjectId }) => subjectId),
      [today.id],
    )
  })
})
