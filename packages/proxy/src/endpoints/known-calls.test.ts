import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { Call } from './endpoint.ts'
import { KnownCalls } from './known-calls.ts'

const bodyOf = (text: string): Buffer => Buffer.from(text, 'latin1')
const callOf = (text: string): Call => ({ text }) as Call

describe('known calls', () => {
  it('are found by their bytes, and by nothing less', () => {
    const known = new KnownCalls()
    const call = callOf('{"a":"\u00e9"}')
    assert.equal(known.find(bodyOf(call.text)), null)
    assert.equal(known.add(call), true)
    assert.equal(known.find(bodyOf(call.text)), call)
    assert.equal(known.find(bodyOf('{"a":"\u00e8"}')), null)
    assert.equal(known.find(Buffer.from(call.text, 'utf8')), null)
  })

  it('are none that have been released, or are long', () => {
    const known = new KnownCalls()
    assert.equal(known.add(callOf('')), false)
    assert.equal(known.add(callOf('x'.repeat(131_073))), false)
    assert.equal(known.find(Buffer.alloc(0)), null)
  })

  it('give way to others, the least used first', () => {
    const known = new KnownCalls()
    const first = callOf('first'.padEnd(100_000))
    known.add(first)
    for (let i = 0; i < 30; i++) known.add(callOf(`${i}`.padEnd(100_000)))
    assert.equal(known.find(bodyOf(first.text))?.text, first.text)
    for (let i = 30; i < 60; i++) known.add(callOf(`${i}`.padEnd(100_000)))
    assert.equal(known.find(bodyOf('3'.padEnd(100_000))), null)
    assert.equal(known.find(bodyOf(first.text)), first)
    known.clear()
    assert.equal(known.find(bodyOf(first.text)), null)
  })
})
