import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { ByName } from './by-name.ts'

describe('ByName', () => {
  it('reads each name once, in lower case', () => {
    const read: string[] = []
    const known = new ByName((name) => {
      read.push(name)
      return { name }
    })
    assert.equal(known.of('A-1'), known.of('A-1'))
    assert.deepEqual([known.of('b').name, read], ['b', ['a-1', 'b']])
  })

  it('keeps no more than so many', () => {
    let reads = 0
    const known = new ByName(() => ++reads)
    for (let i = 0; i < 1_000; i++) known.of(`m${i}`)
    assert.equal(known.of('m0'), 1)
    known.of('one more')
    assert.equal(known.of('m0'), 1_002)
  })
})
