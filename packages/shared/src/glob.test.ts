import assert from 'node:assert/strict'
import { it } from 'node:test'

import { matchesGlob } from './glob.ts'

for (const [pattern, text, expected] of [
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*', 'anything', true],
  ['a*c', 'abbbc', true],
  ['a*c', 'abbb', false],
  ['*_API_KEY', 'OPENAI_API_KEY', true],
  ['*_API_KEY', 'OPENAI_API_KEYS', false],
  ['a*b*c', 'a-b-b-c', true],
  ['a.c', 'abc', false],
  ['**a', 'ba', true],
] as const) {
  it(`${JSON.stringify(pattern)} ${expected ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () => {
    assert.equal(matchesGlob(pattern, text), expected)
  })
}

it('is not made to explode by any pattern', () => {
  assert.equal(matchesGlob('*a'.repeat(50), `${'a'.repeat(2_000)}b`), false)
})
