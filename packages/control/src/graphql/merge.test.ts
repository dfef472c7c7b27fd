import assert from 'node:assert/strict'
import { test } from 'node:test'

import { merged } from './merge.ts'

test('an update keeps what is absent, clears what is null, and merges objects', () => {
  const stored = { a: 1, b: { c: 2, d: 3 }, e: [1] }
  assert.equal(merged(stored, undefined), stored)
  assert.deepEqual(merged(stored, null), {})
  assert.deepEqual(merged(stored, { a: null, b: { c: 4, d: undefined, f: null }, e: [2], g: { h: 5, i: null } }), {
    b: { c: 4, d: 3 },
    e: [2],
    g: { h: 5 },
  })
  assert.deepEqual(stored, { a: 1, b: { c: 2, d: 3 }, e: [1] })
})
