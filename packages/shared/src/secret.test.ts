import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import {
  credentialContext,
  digest,
  fingerprint,
  newMasterKey,
  newSecret,
  open,
  parseMasterKey,
  seal,
  TOKEN_PREFIX,
} from './secret.ts'

describe('newSecret', () => {
  it('has the form that the contract names, its prefix and its digest', () => {
    const { secret, prefix, digest: kept } = newSecret(TOKEN_PREFIX)
    assert.match(secret, /^sk-mr-[0-9A-Za-z]{12}-[0-9A-Za-z]{43}$/)
    assert.equal(prefix, secret.slice(0, 18))
    assert.equal(kept, digest(secret))
    assert.notEqual(newSecret(TOKEN_PREFIX).secret, secret)
  })
})

describe('digest and fingerprint', () => {
  it('are SHA-256 (FIPS 180-2, appendix B.1)', () => {
    assert.equal(digest('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    assert.equal(fingerprint('abc'), 'sha256:ba7816bf8f01cfea')
  })
})

describe('parseMasterKey', () => {
  it('takes 32 bytes, and names a key by its own digest', () => {
    const text = newMasterKey()
    assert.equal(parseMasterKey(text).id, parseMasterKey(`${text}\n`).id)
    assert.equal(parseMasterKey(text).id, parseMasterKey(text.replace('=', '')).id, 'padding may be left out')
    assert.notEqual(parseMasterKey(newMasterKey()).id, parseMasterKey(text).id)
  })

  for (const value of [
    '',
    'short',
    `${'A'.repeat(42)}!=`,
    Buffer.alloc(33).toString('base64'),
    Buffer.alloc(32).toString('hex'),
  ]) {
    it(`refuses ${value.length} characters that are not 32 bytes, without repeating them`, () => {
      assert.throws(
        () => parseMasterKey(value),
        (error: Error) => error instanceof RangeError && (value === '' || !error.message.includes(value)),
      )
    })
  }
})

describe('seal and open', () => {
  const key = parseMasterKey(newMasterKey())
  const context = credentialContext('p', 'c')

  it('give back what was sealed, in a new envelope each time', () => {
    const [one, two] = [seal('sk-é', key, context), seal('sk-é', key, context)]
    assert.notEqual(one, two)
    assert.equal(open(one, [key], context), 'sk-é')
    assert.equal(open(two, [parseMasterKey(newMasterKey()), key], context), 'sk-é')
  })

  it('open in no other row, under no other key, and not when changed', () => {
    const envelope = seal('sk-secret', key, context)
    const flipped = envelope.slice(0, -2) + (envelope.at(-2) === 'A' ? 'B' : 'A') + envelope.at(-1)
    for (const attempt of [
      () => open(envelope, [key], credentialContext('p', 'other')),
      () => open(envelope, [key], credentialContext('other', 'c')),
      () => open(envelope, [parseMasterKey(newMasterKey())], context),
      () => open(envelope, [], context),
      () => open(flipped, [key], context),
      () => open(envelope.slice(0, 20), [key], context),
      () => open('', [key], context),
      () => open('v2.x.y', [key], context),
    ]) {
      assert.throws(attempt, (error: Error) => !error.message.includes('sk-secret'))
    }
  })
})
