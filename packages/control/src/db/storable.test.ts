import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isStorable, storable } from './storable.ts'

test('what jsonb does not take is found, and nothing else', () => {
  for (const value of ['\0', 'a\0b', { '\0': 1 }, ['\ud800'], '\\\0', '\udfff\ud800']) {
    assert.equal(isStorable(JSON.stringify(value)), false, JSON.stringify(value))
    assert.equal(isStorable(JSON.stringify(storable(value))), true, JSON.stringify(value))
  }
  for (const value of ['\\u0000', '\\\\u0000', 'u0000', '\u0001', '😀', '\\ud800', { '\\u0000': '\\' }]) {
    assert.equal(isStorable(JSON.stringify(value)), true, JSON.stringify(value))
    assert.equal(storable(value), value, 'is the same')
  }
})

test('what jsonb does not take is replaced wherever it stands', () => {
  const value = { 'a\0': ['b\ud800', { c: '\0', d: 1, e: null, f: true }] }
  assert.deepEqual(storable(value), { 'a\uFFFD': ['b\uFFFD', { c: '\uFFFD', d: 1, e: null, f: true }] })
})
