/** Efforts in tokens, and back. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { budgetOf, budgetWithin, effortOf } from './reasoning.ts'
import type { Reasoning } from './request.ts'

const NOTHING_SAID: Reasoning = { effort: null, budget: null, enabled: true, shown: null }

describe('a budget of thinking', () => {
  test('of an effort is that effort again', () => {
    for (const effort of ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const) {
      assert.equal(effortOf(budgetOf(effort)), effort)
    }
  })

  test('that was told goes to the last of the answer; one of an effort leaves a quarter', () => {
    const within = (said: Partial<Reasoning>, most: number | null): number | null =>
      budgetWithin({ ...NOTHING_SAID, ...said }, most)
    assert.equal(within({ budget: 5_000 }, 4_000), 3_999)
    assert.equal(within({ budget: 5_000 }, 8_000), 5_000)
    assert.equal(within({ effort: 'high' }, 4_000), 3_000)
    assert.equal(within({ effort: 'low' }, 4_000), 2_048)
    assert.equal(within({}, null), 8_192)
    assert.equal(within({ budget: 1 }, null), 1_024)
    // A quarter of little: thoughts have a least.
    assert.equal(within({ effort: 'high' }, 1_100), 1_024)
    assert.equal(within({ effort: 'high' }, 1_024), null)
    assert.equal(within({ budget: 1_024 }, 1_024), null)
  })
})
