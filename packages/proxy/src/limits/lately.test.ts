import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { newId } from '@millrace/shared'

import { Lately } from './lately.ts'
import type { LimitedSubject } from './store.ts'

function subject(limits: Partial<LimitedSubject>): LimitedSubject {
  const none = { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null, maxRequests: null }
  return { kind: 'token', id: newId(), ...none, budget: null, used: null, ...limits }
}

suite('what was used lately', () => {
  test('has a quota or a budget', () => {
    const lately = new Lately()
    const [quota, budget] = [subject({ maxRequests: 5 }), subject({ budget: { limit: 5n, period: 'DAY' } })]
    lately.use([quota, subject({ requestsPerMinute: 5, maxConcurrent: 5 }), budget])
    assert.deepEqual(lately.all(), [quota, budget])
  })

  test('is forgotten after an interval in which it was not used', () => {
    const lately = new Lately()
    const [once, again] = [subject({ maxRequests: 5 }), subject({ maxRequests: 5 })]
    lately.use([once, again])
    lately.age()
    assert.deepEqual(lately.all(), [once, again])
    lately.use([again])
    lately.age()
    assert.deepEqual(lately.all(), [again])
    lately.age()
    assert.deepEqual(lately.all(), [])
  })

  test('is told once, as it was used last', () => {
    const lately = new Lately()
    const before = subject({ maxRequests: 5 })
    const after = { ...before, maxRequests: 6 }
    lately.use([before])
    lately.age()
    lately.use([after])
    assert.deepEqual(lately.all(), [after])
  })
})
