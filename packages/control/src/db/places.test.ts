import assert from 'node:assert/strict'
import { test } from 'node:test'

import { NoPlace, Places } from './places.ts'

test('so many at once, then in their order, and no more wait than may', async () => {
  const places = new Places(2, 2)
  const begun: number[] = []
  const ends = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  const works = ends.map(({ promise }, i) =>
    places.take(() => {
      begun.push(i)
      return promise
    }),
  )
  await assert.rejects(
    places.take(async () => undefined),
    NoPlace,
  )
  assert.deepEqual(begun, [0, 1])
  ends[1]!.reject(new Error('failed'))
  await assert.rejects(works[1]!, /failed/)
  assert.deepEqual(begun, [0, 1, 2])
  for (const { resolve } of ends) resolve()
  await Promise.all([works[0], works[2], works[3]])
  assert.deepEqual(begun, [0, 1, 2, 3])
  assert.equal(await places.take(async () => 'free again'), 'free again')
})
