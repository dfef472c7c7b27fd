import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { decide, type RoutableRoute } from './decide.ts'

interface Named extends RoutableRoute {
  readonly name: string
}

const route = (name: string, weight = 1, priority = 0, enabled = true): Named => ({ name, weight, priority, enabled })

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

describe('decide', () => {
  it('meets the weights', () => {
    const routes = [route('a', 70), route('b', 25), route('c', 5), route('never', 0)]
    const first = new Map<string, number>()
    const next = random(1)
    for (let i = 0; i < 100_000; i++) {
      const { name } = decide(routes, next)[0]!
      first.set(name, (first.get(name) ?? 0) + 1)
    }
    for (const { name, weight } of routes)
      assert.ok(Math.abs((first.get(name) ?? 0) / 1000 - weight) < 1, `${name}: ${first.get(name)}`)
  })

  it('tries lower priorities first, and every enabled route once', () => {
    const routes = [
      route('late', 100, 9),
      route('b', 1, 1),
      route('off', 50, 0, false),
      route('a', 1, 1),
      route('first', 0, 0),
    ]
    for (let seed = 0; seed < 50; seed++) {
      const names = decide(routes, random(seed)).map(({ name }) => name)
      assert.deepEqual([names[0], names.slice(1, 3).sort(), names.slice(3)], ['first', ['a', 'b'], ['late']])
    }
  })

  it('shares evenly among routes that all weigh nothing', () => {
    const next = random(3)
    let a = 0
    for (let i = 0; i < 10_000; i++) if (decide([route('a', 0), route('b', 0)], next)[0]!.name === 'a') a++
    assert.ok(a > 4_700 && a < 5_300, String(a))
  })

  it('has nothing to offer where nothing is enabled', () => {
    assert.deepEqual(decide([], Math.random), [])
    assert.deepEqual(decide([route('off', 1, 0, false)], Math.random), [])
    assert.deepEqual(decide([route('off', 1, 0, false), route('too', 1, 0, false)], Math.random), [])
  })

  it('leaves its input as it was', () => {
    const routes = Object.freeze([route('a'), route('b'), route('c')])
    decide(routes, Math.random)
    assert.deepEqual(
      routes.map(({ name }) => name),
      ['a', 'b', 'c'],
    )
  })
})
