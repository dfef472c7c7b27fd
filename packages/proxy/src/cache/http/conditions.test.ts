import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { holds, namesTag } from './conditions.ts'

describe('namesTag', () => {
  for (const [list, etag, named] of [
    ['"a"', '"a"', true],
    ['"b", "a"', '"a"', true],
    ['W/"a"', '"a"', true],
    ['"a"', 'W/"a"', true],
    ['"x,y"', '"x,y"', true],
    ['"x', '"x', false],
    ['"A"', '"a"', false],
    ['"b"', '"a"', false],
    ['*', '"a"', true],
    ['*', undefined, true],
    ['"a"', undefined, false],
    ['a', '"a"', false],
  ] as const) {
    it(`${list} ${named ? 'names' : 'does not name'} ${etag}`, () => assert.equal(namesTag(list, etag), named))
  }
})

describe('holds', () => {
  const DATE = 'Tue, 01 Sep 2026 10:00:00 GMT'
  const LATER = 'Tue, 01 Sep 2026 10:00:01 GMT'
  const has = (ifModifiedSince: string | null, ifNoneMatch: string | null = null) =>
    holds({ ifNoneMatch, ifModifiedSince }, '"a"', DATE)

  it('compares dates', () => {
    assert.equal(has(DATE), true)
    assert.equal(has(LATER), true)
    assert.equal(holds({ ifNoneMatch: null, ifModifiedSince: DATE }, '"a"', LATER), false)
    assert.equal(holds({ ifNoneMatch: null, ifModifiedSince: DATE }, '"a"', undefined), false)
  })
  it('does not look at a date where tags are named', () => {
    assert.equal(has(LATER, '"b"'), false)
    assert.equal(has('Tue, 01 Sep 2020 10:00:00 GMT', '"a"'), true)
  })
  it('knows no dates but those of HTTP', () => {
    for (const date of ['', '0', '2030', '2030-01-01', 'soon', '1893456000000']) assert.equal(has(date), false, date)
  })
  it('is not so where nothing is said', () => assert.equal(has(null), false))
})
