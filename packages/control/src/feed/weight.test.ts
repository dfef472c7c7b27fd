import assert from 'node:assert/strict'
import { test } from 'node:test'

import { weightOf } from './weight.ts'

test('a long text weighs what V8 takes for it: a byte a character, or two', () => {
  const count = 10_000
  const [latin, mixed] = ['é'.repeat(count), `${'x'.repeat(count - 1)}語`].map((text) => weightOf({ text }))
  assert.ok(latin! >= count && latin! < 1.1 * count, `${latin}`)
  assert.ok(mixed! >= 2 * count && mixed! < 2.1 * count, `${mixed}`)
})
