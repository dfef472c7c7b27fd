import assert from 'node:assert/strict'
import { it } from 'node:test'

import { Bytes } from './bytes.ts'

it('puts pieces of any size together', () => {
  for (let round = 0; round < 50; round++) {
    const bytes = new Bytes()
    const pieces = Array.from({ length: Math.floor(Math.random() * 200) }, () =>
      Buffer.from(
        Math.random()
          .toString(36)
          .slice(2, 2 + Math.floor(Math.random() * 10)),
      ),
    )
    for (const piece of pieces) bytes.append(piece)
    const whole = Buffer.concat(pieces)
    assert.equal(bytes.length, whole.length)
    assert.deepEqual(bytes.take(), whole)
    assert.equal(bytes.length, 0)
  }
})

it('hands on a single piece as it is', () => {
  const bytes = new Bytes()
  const piece = Buffer.from('one')
  bytes.append(piece)
  assert.equal(bytes.take().buffer, piece.buffer)
  assert.equal(piece.toString(), 'one')
})

it('leaves the first piece as it was', () => {
  const bytes = new Bytes()
  const first = Buffer.from('one')
  bytes.append(first.subarray(0, 1))
  bytes.append(Buffer.from('XX'))
  assert.equal(bytes.take().toString(), 'oXX')
  assert.equal(first.toString(), 'one')
})
