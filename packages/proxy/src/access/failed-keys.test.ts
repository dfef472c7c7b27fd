import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { GatewayError, MOST_FAILURES, parseIp } from '@millrace/shared'

import { FailedKeys } from './failed-keys.ts'

const UNKNOWN = new GatewayError('invalid_api_key', 'not known')

/** How often of so many times an address may fail at this moment. */
function failures(keys: FailedKeys, address: string | null, now: number, times = 1_000): number {
  let passed = 0
  for (let i = 0; i < times; i++) {
    const answer = keys.answer(UNKNOWN, address === null ? null : parseIp(address), now)
    if (answer === UNKNOWN) passed++
    else assert.equal((answer as GatewayError).code, 'rate_limit_exceeded')
  }
  return passed
}

describe('failed authentications', () => {
  it('are told as they are up to a number, and come back with time', () => {
    const keys = new FailedKeys()
    assert.equal(failures(keys, '192.0.2.1', 0), MOST_FAILURES)
    assert.equal(failures(keys, '192.0.2.1', 60_000 / MOST_FAILURES), 1)
    assert.equal(failures(keys, '192.0.2.1', 10 * 60_000), MOST_FAILURES)
  })

  it('say when to come again', () => {
    const keys = new FailedKeys()
    failures(keys, '192.0.2.1', 0)
    const refused = keys.answer(UNKNOWN, parseIp('192.0.2.1'), 500) as GatewayError
    const waitMs = 60_000 / MOST_FAILURES - 500
    assert.equal(refused.retryAfterMs, waitMs)
    assert.equal(keys.answer(UNKNOWN, parseIp('192.0.2.1'), 500 + waitMs), UNKNOWN)
  })

  it('count for each address, and for each network of IPv6', () => {
    const keys = new FailedKeys()
    failures(keys, '192.0.2.1', 0)
    assert.equal(failures(keys, '192.0.2.2', 0), MOST_FAILURES)
    failures(keys, '2001:db8::1', 0)
    assert.equal(failures(keys, '2001:db8::2', 0), 0)
    assert.equal(failures(keys, '2001:db8:0:1::1', 0), MOST_FAILURES)
    assert.equal(failures(keys, null, 0), MOST_FAILURES)
  })

  it('are those with keys that are not known: of others the owner is to know why', () => {
    const keys = new FailedKeys()
    failures(keys, '192.0.2.1', 0)
    for (const error of [new GatewayError('token_revoked', ''), new GatewayError('token_expired', ''), new Error('x')])
      assert.equal(keys.answer(error, parseIp('192.0.2.1'), 0), error)
  })
})

describe('the addresses of an attack', () => {
  const address = (i: number): string => `2001:db8:${(i >> 16).toString(16)}:${(i & 0xffff).toString(16)}::1`

  it('do not make an address forgotten, however many there are, and share one count once there is no room', () => {
    const keys = new FailedKeys()
    assert.equal(failures(keys, '192.0.2.1', 0), MOST_FAILURES)
    let passed = 0
    for (let i = 0; i < 50_000; i++) passed += failures(keys, address(i), i / 1_000, 1)
    assert.equal(failures(keys, '192.0.2.1', 50), 0, 'it is still known')
    // Each of 9,999 by itself, and all the others together.
    assert.equal(passed, 9_999 + MOST_FAILURES)
    assert.equal(failures(keys, '198.51.100.1', 50), 0)
  })

  it('are forgotten once they have nothing left to be held against them', () => {
    const keys = new FailedKeys()
    for (let i = 0; i < 50_000; i++) failures(keys, address(i), 0, 1)
    assert.equal(failures(keys, '198.51.100.1', 3 * 60_000), MOST_FAILURES)
  })
})
