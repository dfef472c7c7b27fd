import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readMetadata } from './metadata.ts'

test('metadata is a JSON object of modest size, or nothing', () => {
  const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
  assert.deepEqual(readMetadata('{"a": [1, null]}'), { a: [1, null] })
  assert.deepEqual(readMetadata(deep(16)), JSON.parse(deep(16)))
  for (const header of [null, '', '[]', 'null', '5', '{', deep(17), `{"a": "${'x'.repeat(4_096)}"}`])
    assert.equal(readMetadata(header), null, String(header).slice(0, 40))
})
