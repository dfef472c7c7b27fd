import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { readDirectives } from './directives.ts'
import { ResponsePolicy, type Fields } from './policy.ts'

const ETAG = { etag: '"a"' }
/** @param seconds how long ago it was asked for */
const policyOf = (cacheControl: string, seconds = 0, fields: Fields = ETAG, status = 200) =>
  ResponsePolicy.of(
    status,
    { date: new Date(Date.now() - seconds * 1000).toUTCString(), 'cache-control': cacheControl, ...fields },
    Date.now() - seconds * 1000,
  )
const judged = (cacheControl: string, seconds: number, request = '', fields: Fields = ETAG) => {
  const policy = policyOf(cacheControl, seconds, fields)
  return policy === null ? 'not stored' : policy.judge(readDirectives(request))
}

describe('what is stored of answers to an upstream key', () => {
  for (const cacheControl of [
    'public, max-age=60',
    'PUBLIC, Max-Age=60',
    's-maxage=60',
    'max-age=60, must-revalidate',
    'public, no-cache',
    'public',
    'must-revalidate',
    's-maxage=0',
    'public, no-cache="x-secret, x-other"',
  ]) {
    it(cacheControl, () => assert.ok(policyOf(cacheControl)))
  }
  for (const cacheControl of [
    '',
    'max-age=60',
    'private, public',
    'public, PRIVATE="x, y", max-age=60',
    'public, no-store, max-age=60',
    'No-Store, public',
    'no-cache',
    'proxy-revalidate, max-age=60',
    'immutable, max-age=60',
  ]) {
    it(`not: ${cacheControl || 'nothing'}`, () => assert.equal(policyOf(cacheControl), null))
  }
  it('no errors, redirects or parts', () => {
    for (const status of [206, 301, 302, 304, 400, 401, 404, 410, 429, 500, 503]) {
      assert.equal(policyOf('public, max-age=60', 0, ETAG, status), null, String(status))
    }
    assert.equal(policyOf('public, max-age=60', 0, { 'content-range': 'bytes 0-1/2' }), null)
  })
  it('nothing that sets cookies', () => {
    assert.equal(policyOf('public, max-age=60, immutable', 0, { 'set-cookie': 'a=b' }), null)
  })
  it('nothing that not everybody can read', () => {
    assert.equal(policyOf('public, max-age=60', 0, { 'content-encoding': 'gzip' }), null)
  })
  it('nothing that can never be given', () => {
    assert.equal(policyOf('public', 0, {}), null)
    assert.equal(policyOf('public, max-age=0', 0, {}), null)
    assert.equal(policyOf('public, max-age=60', 0, { age: '60' }), null)
    assert.equal(policyOf('public', 0, { expires: '0' }), null)
    assert.ok(policyOf('public, max-age=0', 0, { 'last-modified': 'Tue, 01 Sep 2026 10:00:00 GMT' }))
  })
})

describe('how it stands to a request', () => {
  for (const [cacheControl, seconds, request, verdict, fields = ETAG] of [
    ['public, max-age=60', 0, '', 'usable'],
    ['public, max-age=60', 59, '', 'usable'],
    ['public, max-age=60', 60, '', 'stale'],
    ['s-maxage=60, max-age=1', 30, '', 'usable'],
    ['public, s-maxage=1, max-age=60', 30, '', 'stale'],
    ['public, max-age=60', 30, '', 'stale', { ...ETAG, age: '30' }],
    ['public, max-age=60', 20, '', 'usable', { age: '30' }],
    ['public, max-age=60', 20, '', 'usable', { age: '-30' }],
    ['public, max-age=60, max-age=1', 30, '', 'usable'],
    // Must be asked for anew once it is stale, and not before.
    ['max-age=60, must-revalidate', 30, '', 'usable'],
    ['public, max-age=60, proxy-revalidate', 30, '', 'usable'],
    ['max-age=60, must-revalidate', 61, '', 'stale'],
    ['public, no-cache, max-age=60', 0, '', 'stale'],
    // Nobody would make that request.
    ['public, max-age=1, stale-while-revalidate=60', 30, '', 'stale'],
    ['public, max-age=60', 30, 'no-cache', 'refused'],
    ['public, max-age=60', 30, 'NO-CACHE', 'refused'],
    ['public, max-age=60', 30, 'max-age=29', 'refused'],
    ['public, max-age=60', 30, 'max-age=31', 'usable'],
    ['public, max-age=60', 30, 'max-age=0', 'refused'],
    ['public, max-age=60', 30, 'min-fresh=29', 'usable'],
    ['public, max-age=60', 30, 'min-fresh=31', 'refused'],
    ['public, max-age=60', 70, 'max-stale', 'usable'],
    ['public, max-age=60', 70, 'max-stale=20', 'usable'],
    ['public, max-age=60', 70, 'max-stale=5', 'stale'],
    ['public, max-age=60', 70, 'max-stale=no', 'stale'],
    ['max-age=60, must-revalidate', 70, 'max-stale', 'stale'],
    ['public, max-age=60, proxy-revalidate', 70, 'max-stale', 'stale'],
    ['s-maxage=60', 70, 'max-stale', 'stale'],
    ['public, no-cache, max-age=60', 10, 'max-stale', 'stale'],
    // A tenth of the time for which it had not changed.
    ['public', 10, '', 'usable', { 'last-modified': new Date(Date.now() - 200_000).toUTCString() }],
    ['public', 30, '', 'stale', { 'last-modified': new Date(Date.now() - 200_000).toUTCString() }],
    ['public', 10, '', 'usable', { expires: new Date(Date.now() + 60_000).toUTCString() }],
    ['public', 10, '', 'stale', { ...ETAG, expires: new Date(Date.now() - 5_000).toUTCString() }],
  ] as const) {
    it(`${cacheControl} ${JSON.stringify(fields)} after ${seconds} s, ${request || 'nothing said'}: ${verdict}`, () =>
      assert.equal(judged(cacheControl, seconds, request, fields), verdict))
  }
})

describe('what stands in for an error', () => {
  const standsIn = (cacheControl: string, seconds: number, request = '') =>
    policyOf(cacheControl, seconds)!.standsInForErrors(readDirectives(request))
  it('is what the provider lets', () => {
    assert.equal(standsIn('public, max-age=10, stale-if-error=60', 30), true)
    assert.equal(standsIn('public, max-age=10, stale-if-error=60', 71), false)
    assert.equal(standsIn('public, max-age=10', 30), false)
    assert.equal(standsIn('public, max-age=60', 30, 'max-age=0'), false)
    assert.equal(standsIn('public, max-age=60, stale-if-error=1', 30, 'max-age=0'), true)
  })
  it('is nothing that must be asked for anew', () => {
    for (const strict of ['must-revalidate', 'proxy-revalidate', 'no-cache', 's-maxage=10'])
      assert.equal(standsIn(`public, max-age=10, stale-if-error=60, ${strict}`, 30), false, strict)
  })
  it('is nothing that the client does not want', () => {
    assert.equal(standsIn('public, max-age=10, stale-if-error=60', 30, 'no-cache'), false)
    assert.equal(standsIn('public, max-age=10', 30, 'stale-if-error=60'), false)
  })
})

describe('its age', () => {
  it('counts from when it was asked for, and what others have had it for', () => {
    assert.equal(policyOf('public, max-age=60', 7)!.age, 7)
    const policy = policyOf('public, max-age=60', 7, { age: '5' })!
    assert.equal(policy.age, 12)
    assert.ok(policy.freshFor >= 47 && policy.freshFor <= 48)
  })
  for (const [age, seconds] of [
    ['50, 60', 50],
    [' 50 ', 50],
    ['-5', 0],
    ['5.5', 0],
    ['', 0],
  ] as const) {
    it(`of ${JSON.stringify(age)} is ${seconds}`, () =>
      assert.equal(policyOf('public, max-age=60', 0, { age })!.age, seconds))
  }
})
