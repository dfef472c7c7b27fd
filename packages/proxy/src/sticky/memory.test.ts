import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { MemoryBindings } from './memory.ts'

const TTL = 1_000

describe('MemoryBindings', () => {
  it('keeps no more than it may: those go that were not used for long', () => {
    const bindings = new MemoryBindings(100)
    bindings.bind('a:used', ['r'], 'r', TTL)
    bindings.bind('a:moved', ['r', 's'], 'r', TTL)
    bindings.bind('a:unused', ['r'], 'r', TTL)
    for (let i = 0; i < 1_000; i++) {
      assert.equal(bindings.bind(`a:${i}`, ['r'], 'r', TTL).action, 'BIND')
      assert.equal(bindings.bind('a:used', ['r'], 'r', TTL).action, 'HIT')
      assert.notEqual(bindings.move('a:moved', i % 2 === 0 ? 'r' : 's', i % 2 === 0 ? 's' : 'r', TTL), null)
      assert.ok(bindings.size <= 100, String(bindings.size))
    }
    for (let i = 960; i < 1_000; i++) assert.equal(bindings.bind(`a:${i}`, ['r'], 'r', TTL).action, 'HIT', String(i))
    assert.equal(bindings.move('a:unused', 'r', 's', TTL), null)
  })

  it('takes no longer when it is full', () => {
    const bindings = new MemoryBindings(20_000)
    for (let i = 0; i < 40_000; i++) bindings.bind(`a:${i}`, ['r'], 'r', TTL)
    const began = process.cpuUsage()
    for (let i = 0; i < 40_000; i++) bindings.bind(`b:${i}`, ['r'], 'r', TTL)
    const { user, system } = process.cpuUsage(began)
    assert.ok(user + system < 400_000, `${user + system} µs`)
  })

  it('has expiry to the millisecond, and remembers what has expired for another lifetime', () => {
    let now = 10_000
    const bindings = new MemoryBindings(10, () => now)
    const first = bindings.bind('a:1', ['r'], 'r', TTL)
    assert.deepEqual(first, { binding: { routeId: 'r', boundAt: 10_000, expiresAt: 11_000 }, action: 'BIND' })
    now = 10_999
    const hit = bindings.bind('a:1', ['r'], 'r', TTL)
    assert.deepEqual(hit, { binding: { routeId: 'r', boundAt: 10_000, expiresAt: 11_999 }, action: 'HIT' })
    now = 11_999
    assert.equal(bindings.move('a:1', 'r', 's', TTL), null)
    assert.equal(bindings.bind('a:1', ['r'], 'r', TTL).action, 'REBIND_EXPIRED')
    now += 2 * TTL
    assert.equal(bindings.bind('a:1', ['r'], 'r', TTL).action, 'REBIND_EXPIRED')
    now += 2 * TTL + 1
    assert.equal(bindings.bind('a:1', ['r'], 'r', TTL).action, 'BIND')
  })

  it('never changes a binding that it has given out', () => {
    const bindings = new MemoryBindings()
    const { binding } = bindings.bind('a:1', ['r'], 'r', TTL)
    const seen = { ...binding }
    bindings.bind('a:1', ['r'], 'r', 10 * TTL)
    bindings.move('a:1', 'r', 's', TTL)
    assert.deepEqual(binding, seen)
  })
})
