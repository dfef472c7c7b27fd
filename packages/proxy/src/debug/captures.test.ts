import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import type { DebugCapture } from '@millrace/shared'
import { pino } from 'pino'

import { DebugCaptures } from './captures.ts'

const CAPTURE: DebugCapture = {
  enabled: true,
  maxBodyBytes: 1_000,
  retentionHours: 1,
  remainingMs: null,
  tokens: null,
  models: null,
}

function told(...values: unknown[]): DebugCaptures {
  const nobody = { send: () => Promise.reject(new Error('nobody is to be told')) }
  const captures = new DebugCaptures(nobody, pino({ level: 'silent' }))
  for (const debugCaptures of values) captures.next({ data: { debugCaptures } })
  return captures
}

test('captures nothing before it is told to, nor when what it is told cannot be read', () => {
  assert.equal(told().enabled, false)
  assert.equal(told(CAPTURE).enabled, true)
  for (const value of [{ ...CAPTURE, enabled: false }, { ...CAPTURE, maxBodyBytes: -1 }, null, 'on'])
    assert.equal(told(CAPTURE, value).enabled, false)
})

test('ends by its own clock, whether or not it hears of it', { timeout: 60_000 }, async () => {
  const captures = told({ ...CAPTURE, remainingMs: 20 })
  assert.equal(captures.enabled, true)
  captures.error()
  assert.equal(captures.enabled, true)
  while (captures.enabled) await sleep(5)
})

test('what is told later holds, however long was left of what was told before', async () => {
  const captures = told({ ...CAPTURE, remainingMs: 20 }, { ...CAPTURE, remainingMs: 600_000 })
  await sleep(60)
  assert.equal(captures.enabled, true)
})
