import assert from 'node:assert/strict'
import { it } from 'node:test'

import { DEFAULT_ACCESS } from '@millrace/shared'

import { compileAccess } from './access.ts'

it('is none where everything is allowed', () => {
  assert.equal(compileAccess(null), null)
  assert.equal(compileAccess(DEFAULT_ACCESS), null)
})

it('tells own keys from none', () => {
  assert.equal(compileAccess({ ...DEFAULT_ACCESS, ownKeys: true })?.ownKeys, true)
  assert.equal(compileAccess({ ...DEFAULT_ACCESS, models: ['a'] })?.ownKeys, false)
})

it('is shared by all that have the same', () => {
  const policy = { ...DEFAULT_ACCESS, models: ['a', 'b*'] }
  assert.equal(compileAccess(policy), compileAccess(structuredClone(policy)))
  assert.notEqual(compileAccess(policy), compileAccess({ ...policy, models: ['a'] }))
})
