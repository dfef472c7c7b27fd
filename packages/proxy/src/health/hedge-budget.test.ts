import assert from 'node:assert/strict'
import { it } from 'node:test'

import { HedgeBudget } from './hedge-budget.ts'

function hedges(budget: HedgeBudget, requests: number, percent: number): number {
  let count = 0
  for (let i = 0; i < requests; i++) {
    budget.earn(percent)
    if (budget.take(percent)) count++
  }
  return count
}

it('grants a share of the requests, the first one at once, and saves up a few', () => {
  const budget = new HedgeBudget()
  assert.equal(hedges(budget, 1, 5), 1)
  const many = hedges(budget, 1_000, 5)
  assert.ok(many >= 49 && many <= 51, String(many))
  for (let i = 0; i < 10_000; i++) budget.earn(5)
  let saved = 0
  while (budget.take(5)) saved++
  assert.equal(saved, 10)
  assert.equal(hedges(new HedgeBudget(), 100, 0), 0)
})
