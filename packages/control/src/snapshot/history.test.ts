import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { History } from './history.ts'

const tokens = (...ids: string[]) => ({ routing: false, projects: false, tokens: ids })

suite('the history of changes', () => {
  test('tells all that has changed since, in one', () => {
    const history = new History(1_000)
    history.begin(5)
    history.add(6, tokens('a', 'b'))
    history.add(9, { routing: true, projects: false, tokens: ['b', 'c'] })
    history.add(10, { routing: false, projects: true, tokens: [] })
    assert.deepEqual(history.since(5), { routing: true, projects: true, tokens: new Set(['a', 'b', 'c']) })
    assert.deepEqual(history.since(6), { routing: true, projects: true, tokens: new Set(['b', 'c']) })
    // Within a step nobody stands; if somebody does, it tells too much, not too little.
    assert.deepEqual(history.since(7), history.since(6))
    assert.deepEqual(history.since(9), { routing: false, projects: true, tokens: new Set() })
    assert.deepEqual(history.since(10), { routing: false, projects: false, tokens: new Set() })
  })

  test('knows nothing of what was before it began', () => {
    const history = new History(1_000)
    assert.equal(history.since(0), null)
    history.begin(5)
    assert.equal(history.since(4), null)
    history.add(6, tokens('a'))
    history.begin(7)
    assert.equal(history.since(6), null)
    assert.deepEqual(history.since(7)?.tokens, new Set())
  })

  test('is bounded: the oldest is forgotten, and never told in part', () => {
    const history = new History(100)
    history.begin(0)
    const known = (revision: number): number => {
      let from = revision
      while (from > 0 && history.since(from - 1) !== null) from--
      return from
    }
    for (let revision = 1; revision <= 1_000; revision++) {
      history.add(revision, tokens(`t${revision}`, 'always'))
      const from = known(revision)
      assert.ok(revision - from <= 8, `${revision - from} steps of 12 are remembered`)
      const since = history.since(from)!.tokens
      assert.equal(since.size, revision === from ? 0 : revision - from + 1)
    }
    assert.ok(known(1_000) < 1_000)
    history.add(1_001, tokens(...Array.from({ length: 500 }, (_, i) => `many${i}`)))
    assert.equal(history.since(1_000), null, 'more than there is room for')
    assert.deepEqual(history.since(1_001)?.tokens, new Set())
  })
})
