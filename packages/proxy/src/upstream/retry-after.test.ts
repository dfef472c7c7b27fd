import assert from 'node:assert/strict'
import { it } from 'node:test'

import { retryAfterOf } from './retry-after.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')

for (const [headers, expected] of [
  [{}, null],
  [{ 'retry-after': '2' }, 2_000],
  [{ 'retry-after': '0.5' }, 500],
  [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:03 GMT' }, 3_000],
  [{ 'retry-after': 'Wed, 31 Dec 2025 23:59:00 GMT' }, null],
  [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1_500],
  [{ 'retry-after-ms': 'soon', 'retry-after': '9' }, 9_000],
  [{ 'retry-after': 'soon' }, null],
  [{ 'retry-after': '-1' }, null],
  [{ 'retry-after': '999999999' }, 86_400_000],
] as const) {
  it(`reads ${JSON.stringify(headers)} as ${expected} ms`, () => {
    assert.equal(retryAfterOf(headers, NOW), expected)
  })
}
