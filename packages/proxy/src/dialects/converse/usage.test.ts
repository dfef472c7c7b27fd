import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readUsage } from './usage.ts'

const USAGE = { inputTokens: 5, outputTokens: 2, cacheReadInputTokens: 7, cacheWriteInputTokens: 30 }

test('what the cache keeps for an hour is told apart, since it costs more', () => {
  const cacheDetails = [
    { ttl: '1h', inputTokens: 20 },
    { ttl: '5m', inputTokens: 10 },
    { ttl: '1h', inputTokens: 'x' },
    null,
  ]
  const { cacheWriteTokens, cacheWrite1hTokens } = readUsage({ ...USAGE, cacheDetails })!
  assert.deepEqual([cacheWriteTokens, cacheWrite1hTokens], [30, 20])
  for (const none of [undefined, null, 7, [], [{ ttl: '5m', inputTokens: 30 }]])
    assert.ok(!('cacheWrite1hTokens' in readUsage({ ...USAGE, cacheDetails: none })!))
})
