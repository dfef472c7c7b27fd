import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { SnapshotSecret } from '@millrace/shared'

import { retire } from './rotation.ts'

const NOW = Date.parse('2026-11-20T12:00:00.000Z')

function secret(name: string, seconds: number): SnapshotSecret {
  return { prefix: name, digest: `digest of ${name}`, until: new Date(NOW + seconds * 1_000).toISOString() }
}

const CURRENT = { prefix: 'current', digest: 'digest of current' }

describe('retire', () => {
  it('keeps the secret just replaced, even if it is good no more', () => {
    assert.deepEqual(retire([], CURRENT, NOW, 0), [secret('current', 0)])
    assert.deepEqual(retire([], CURRENT, NOW, 60), [secret('current', 60)])
  })

  it('keeps of those before what is still good, for as long as it was', () => {
    const before = [secret('good', 1), secret('just over', 0), secret('long over', -60)]
    assert.deepEqual(retire(before, CURRENT, NOW, 30), [secret('current', 30), secret('good', 1)])
  })

  it('keeps no more than five: those that end last', () => {
    const before = [5, 100, 1, 50, 70].map((seconds) => secret(`for ${seconds}`, seconds))
    const names = retire(before, CURRENT, NOW, 10).map(({ prefix }) => prefix)
    assert.deepEqual(names, ['current', 'for 5', 'for 100', 'for 50', 'for 70'])
  })

  it('takes nothing but prefix and digest of what is replaced', () => {
    const token = { ...CURRENT, name: 'a token', until: null }
    assert.deepEqual(Object.keys(retire([], token, NOW, 0)[0]!), ['prefix', 'digest', 'until'])
  })
})
