import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { requestDirectives, type RequestDirectives } from './directives.ts'

const NOTHING: RequestDirectives = { store: true, read: true, onlyIfCached: false, maxAgeMs: Infinity, minFreshMs: 0 }

describe('requestDirectives', () => {
  for (const [cacheControl, said] of [
    ['', {}],
    ['no-transform, foo=bar', {}],
    ['no-store', { store: false, read: false }],
    ['NO-Store', { store: false, read: false }],
    ['no-cache', { read: false }],
    ['no-cache="x"', { read: false }],
    ['max-age=0', { read: false }],
    ['max-age=60', { maxAgeMs: 60_000 }],
    ['Max-Age="60"', { maxAgeMs: 60_000 }],
    ['max-age=060', { maxAgeMs: 60_000 }],
    ['max-age=99999999999999999999999', { maxAgeMs: 2 ** 31 * 1_000 }],
    ['max-age', { read: false }],
    ['max-age=', { read: false }],
    ['max-age=-1', { read: false }],
    ['max-age=1.5', { read: false }],
    ['max-age=1e3', { read: false }],
    ['max-age=soon', { read: false }],
    ['max-age=5, max-age=50', { maxAgeMs: 5_000 }],
    ['no-cache, max-age=60', { read: false, maxAgeMs: 60_000 }],
    ['only-if-cached', { onlyIfCached: true }],
    ['only-if-cached , max-age=10', { onlyIfCached: true, maxAgeMs: 10_000 }],
    ['no-store,only-if-cached', { store: false, read: false, onlyIfCached: true }],
    ['min-fresh=30', { minFreshMs: 30_000 }],
    ['min-fresh=0', {}],
    ['min-fresh=much', { read: false }],
    ['max-stale', {}],
    ['max-stale=100', {}],
    ['foo="no-store, no-cache, max-age=0"', {}],
    ['foo="a\\", no-store"', {}],
    ['xno-store, no-storex, s-maxage=0', {}],
    [',, ,no-cache,', { read: false }],
  ] as const) {
    it(`${JSON.stringify(cacheControl)}: ${JSON.stringify(said)}`, () => {
      assert.deepEqual(requestDirectives({ 'cache-control': cacheControl }), { ...NOTHING, ...said })
    })
  }

  it('says nothing where nothing is said, always with the same object', () => {
    assert.deepEqual(requestDirectives({}), NOTHING)
    assert.equal(requestDirectives({}), requestDirectives({ pragma: 'x' }))
  })

  it('takes pragma only where there is no cache-control', () => {
    assert.equal(requestDirectives({ pragma: 'No-Cache' }).read, false)
    assert.equal(requestDirectives({ pragma: 'x, no-cache' }).read, false)
    assert.equal(requestDirectives({ pragma: 'no-cache', 'cache-control': 'max-age=5' }).read, true)
  })
})
