import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { stickyKey, stickyScopeOf, stickySubjectOf } from './sticky-key.ts'

describe('a sticky key', () => {
  it('is of the alias, the project, the scope and the subject', () => {
    assert.equal(stickyKey('a', 'p', 'USER', 'ann'), 'a:p:USER:ann')
    assert.equal(stickyKey('a', 'p', 'USER', 'x'.repeat(200)), `a:p:USER:${'x'.repeat(200)}`)
  })

  it('has the hash of a long subject', () => {
    const key = stickyKey('a', 'p', 'USER', 'x'.repeat(201))
    assert.match(key, /^a:p:USER:sha256:[0-9a-f]{64}$/)
    assert.notEqual(stickyKey('a', 'p', 'USER', `${'x'.repeat(200)}y`), key)
  })
})

describe("a request's scope", () => {
  it('is the one that it asks for, where the alias has one', () => {
    assert.equal(stickyScopeOf('USER', null), 'USER')
    assert.equal(stickyScopeOf('USER', 'conversation'), 'CONVERSATION')
    assert.equal(stickyScopeOf('USER', 'NONE'), 'NONE')
    assert.equal(stickyScopeOf('USER', 'planet'), 'USER')
    assert.equal(stickyScopeOf('NONE', 'user'), 'NONE')
  })

  it('says whose binding it is', () => {
    const facts = { tokenId: 't', user: 'u', conversation: null }
    assert.deepEqual(
      (['NONE', 'TOKEN', 'USER', 'CONVERSATION'] as const).map((scope) => stickySubjectOf(scope, facts)),
      [null, 't', 'u', null],
    )
  })
})
