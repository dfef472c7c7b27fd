import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { newId, newSecret, TOKEN_PREFIX, type SnapshotToken } from '@millrace/shared'

import { compileToken } from './compile-subjects.ts'
import { TokenTable } from './token-table.ts'

const TOKENS = 20_000
/** 60 MB for a hundred thousand. */
const MOST_BYTES = 600

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function bytesUsed(): number {
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** As it comes: every text a new one. */
function received(projectId: string, index: number): SnapshotToken {
  const { prefix, digest } = newSecret(TOKEN_PREFIX)
  const token: SnapshotToken = {
    id: newId(),
    name: `token ${index}`,
    projectId,
    secrets: [{ prefix, digest, until: null }],
    revoked: false,
    expiresAt: '2027-01-01T00:00:00.000Z',
    maxRequests: 1_000,
    limits: { requestsPerMinute: 60, tokensPerMinute: 100_000, maxConcurrent: 10 },
    budget: { limitUsd: '10', period: 'MONTH' },
    used: { window: '2026-11', spentUsd: '1.25', requests: index },
    access: null,
  }
  return JSON.parse(JSON.stringify(token)) as SnapshotToken
}

test('a token takes some hundred bytes, with limits, a budget and what it has used', () => {
  const before = bytesUsed()
  const table = new TokenTable()
  const projectId = newId()
  for (let i = 0; i < TOKENS; i++) table.set(compileToken(received(projectId, i), projectId))
  const each = (bytesUsed() - before) / TOKENS
  assert.equal(table.size, TOKENS)
  assert.ok(each < MOST_BYTES, `${each} bytes a token`)
})
