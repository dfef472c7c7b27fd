import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  addCacheHeaders,
  BYPASSED,
  BYPASSED_BY_REQUEST,
  COALESCED,
  COALESCED_BY_REQUEST,
  MISSED,
  MISSED_BY_REQUEST,
  type CacheSaid,
} from './answer-headers.ts'

function added(said: CacheSaid): string[] {
  const list = ['a', 'b']
  addCacheHeaders(list, said)
  assert.deepEqual(list.splice(0, 2), ['a', 'b'])
  return list
}

const hit = (over: Partial<Record<'storedAt' | 'expiresAt', number>>): CacheSaid => {
  const now = Date.now()
  return { outcome: 'HIT', tier: 'SHARED', storedAt: now - 24_500, expiresAt: now + 376_900, etag: '"abc"', ...over }
}

describe('addCacheHeaders', () => {
  for (const [said, outcome, status] of [
    [BYPASSED, 'BYPASS', 'Millrace; fwd=bypass'],
    [BYPASSED_BY_REQUEST, 'BYPASS', 'Millrace; fwd=request'],
    [MISSED, 'MISS', 'Millrace; fwd=uri-miss'],
    [MISSED_BY_REQUEST, 'MISS', 'Millrace; fwd=request'],
    [COALESCED, 'COALESCED', 'Millrace; fwd=uri-miss; collapsed'],
    [COALESCED_BY_REQUEST, 'COALESCED', 'Millrace; fwd=request; collapsed'],
  ] as const) {
    it(`${outcome}: ${status}`, () => {
      assert.equal(said.outcome, outcome)
      assert.deepEqual(added(said), ['x-cache', outcome, 'cache-status', status])
    })
  }

  it('says of a hit how old it is, and how long it will live', () => {
    const [, outcome, , status, , age, , etag] = added(hit({}))
    assert.deepEqual([outcome, status, age, etag], ['HIT', 'Millrace; hit; ttl=376; detail=SHARED', '24', '"abc"'])
  })

  it('says nothing below 0, whatever another clock has said', () => {
    const later = Date.now() + 60_000
    assert.deepEqual(added(hit({ storedAt: later, expiresAt: 0 })).slice(3, 6), [
      'Millrace; hit; ttl=0; detail=SHARED',
      'age',
      '0',
    ])
  })
})
