import assert from 'node:assert/strict'
import { it } from 'node:test'

import { AddressRefused, checkAddress, guardedLookup } from './address.ts'

for (const [address, wherePrivateAllowed, whereNot] of [
  ['8.8.8.8', true, true],
  ['2606:4700::1', true, true],
  ['127.0.0.1', true, false],
  ['10.1.2.3', true, false],
  ['192.168.1.1', true, false],
  ['::1', true, false],
  ['fd00::1', true, false],
  ['::ffff:10.0.0.1', true, false],
  ['169.254.169.254', false, false],
  ['::ffff:169.254.169.254', false, false],
  ['fe80::1', false, false],
] as const) {
  it(`${address}: ${wherePrivateAllowed}, ${whereNot} without private upstreams`, () => {
    assert.equal(allowed(address, true), wherePrivateAllowed)
    assert.equal(allowed(address, false), whereNot)
  })
}

it('checks what a name resolves to', async () => {
  const { promise, resolve } = Promise.withResolvers<Error | null>()
  guardedLookup(false)('localhost', { all: true }, (error) => resolve(error))
  assert.ok((await promise) instanceof AddressRefused)
})

function allowed(address: string, privateAllowed: boolean): boolean {
  try {
    checkAddress(address, privateAllowed)
    return true
  } catch (error) {
    assert.ok(error instanceof AddressRefused)
    return false
  }
}
