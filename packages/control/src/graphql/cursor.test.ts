import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeCursor, encodeCursor } from './cursor.ts'

const any = (): boolean => true
const digits = (part: string): boolean => /^\d+$/.test(part)

test('a cursor says what it was made of', () => {
  assert.deepEqual(decodeCursor('things', encodeCursor('things', '7', 'a"|é'), digits, any), ['7', 'a"|é'])
})

test('what is no cursor of this list is refused', () => {
  for (const cursor of [
    '',
    'x',
    '%%%',
    encodeCursor('things', 'x'),
    encodeCursor('things', '1', '2'),
    encodeCursor('things'),
    encodeCursor('1'),
    Buffer.from('[1]').toString('base64url'),
  ]) {
    assert.throws(
      () => decodeCursor('things', cursor, digits),
      { message: 'after: is not a cursor of this list' },
      cursor,
    )
  }
})

test("another list's cursor is refused, and named", () => {
  assert.throws(() => decodeCursor('things', encodeCursor('others', '1'), digits), {
    message: 'after: is a cursor of others, not of things',
  })
})
