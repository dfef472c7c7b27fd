import assert from 'node:assert/strict'
import { it } from 'node:test'

import { Slots, type Slotted } from './slots.ts'

it('holds what was added and not removed, in any order', () => {
  const slots = new Slots<Slotted>()
  const expected = new Set<Slotted>()
  for (let i = 0; i < 10_000; i++) {
    if (Math.random() < 0.6 || expected.size === 0) {
      const item = { slot: -1 }
      slots.add(item)
      expected.add(item)
    } else {
      const item = [...expected][Math.floor(Math.random() * Math.min(expected.size, 20))]!
      slots.remove(item)
      slots.remove(item)
      expected.delete(item)
    }
  }
  const found = new Set<Slotted>()
  slots.forEach((item) => found.add(item))
  assert.deepEqual(found, expected)
  assert.equal(slots.size, expected.size)
})

it('lets any items be removed during a visit, and visits all others', () => {
  for (const gone of [
    [0, 1],
    [8, 9],
    [9, 0],
    [3, 4, 5, 6],
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
  ]) {
    const slots = new Slots<Slotted>()
    const items = Array.from({ length: 10 }, () => ({ slot: -1 }))
    for (const item of items) slots.add(item)
    const visited = new Set<Slotted>()
    slots.forEach((item) => {
      visited.add(item)
      for (const i of gone) slots.remove(items[i]!)
    })
    for (const [i, item] of items.entries()) assert.ok(gone.includes(i) || visited.has(item), `${i} of ${gone.join()}`)
    assert.equal(slots.size, 10 - gone.length)
  }
})

it('lets the visited item be removed', () => {
  const slots = new Slots<Slotted>()
  for (let i = 0; i < 10; i++) slots.add({ slot: -1 })
  slots.forEach((item) => slots.remove(item))
  assert.equal(slots.size, 0)
})
