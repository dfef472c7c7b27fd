import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { DEFAULT_BREAKER, type BreakerPolicy } from '@millrace/shared'

import { Breaker, type Verdict } from './breaker.ts'

/** A breaker and its changes; times are seconds. */
function breaker(policy: Partial<BreakerPolicy> = {}) {
  const changes: boolean[] = []
  const made = new Breaker({ ...DEFAULT_BREAKER, ...policy }, ({ openedAt }) => changes.push(openedAt !== null))
  const attempt = (verdict: Verdict, at: number): void => made.end(verdict, made.begin(at * 1000), at * 1000)
  const state = (at: number) => made.stateAt(at * 1000)
  return { made, changes, attempt, state }
}

describe('Breaker', () => {
  it('opens at the error rate, of enough requests only', () => {
    const { attempt, state, changes } = breaker()
    for (let i = 0; i < 9; i++) attempt('failure', 1)
    assert.equal(state(1), 'CLOSED')
    attempt('failure', 1)
    assert.equal(state(1), 'OPEN')
    assert.deepEqual(changes, [true])
  })

  it('stays closed below the error rate', () => {
    const { attempt, state } = breaker()
    for (let i = 0; i < 100; i++) attempt(i % 5 < 2 ? 'failure' : 'success', 1)
    assert.equal(state(1), 'CLOSED')
  })

  it('counts neither answers in order that are no success, nor those of which nothing is known', () => {
    const { attempt, state, made } = breaker()
    for (let i = 0; i < 5; i++) attempt('failure', 1)
    for (let i = 0; i < 100; i++) attempt(i % 2 ? 'alive' : 'unknown', 1)
    assert.deepEqual(made.countsAt(1000), { requests: 5, errors: 5 })
    for (let i = 0; i < 5; i++) attempt('failure', 1)
    assert.equal(state(1), 'OPEN')
  })

  it('forgets what is older than its window', () => {
    const { attempt, state, made } = breaker()
    for (let i = 0; i < 9; i++) attempt('failure', 1)
    attempt('failure', 32)
    assert.equal(state(32), 'CLOSED')
    assert.deepEqual(made.countsAt(32_000), { requests: 1, errors: 1 })
  })

  it('opens at failures in a row where that rule is on', () => {
    const { attempt, state } = breaker({ consecutiveFailures: 3, errorRate: 0 })
    for (const verdict of ['failure', 'failure', 'success', 'failure', 'failure'] as const) attempt(verdict, 1)
    assert.equal(state(1), 'CLOSED')
    attempt('failure', 1)
    assert.equal(state(1), 'OPEN')
  })

  it('lets one trial at a time through, and stays open longer each time that it fails', () => {
    const { made, attempt, state } = breaker({ minRequests: 1, openSeconds: 5, maxOpenSeconds: 12 })
    attempt('failure', 100)
    assert.equal(made.admits(104_999), false)
    for (const [at, until] of [
      [105, 115],
      [115, 127],
      [127, 139],
    ] as const) {
      assert.equal(state(at), 'HALF_OPEN')
      assert.equal(made.admits(at * 1000), true)
      const trial = made.begin(at * 1000)
      assert.equal(made.admits(at * 1000), false, 'one at a time')
      made.end('failure', trial, at * 1000)
      assert.equal(made.retryAt, until * 1000)
    }
    attempt('success', 139)
    assert.equal(state(139), 'CLOSED')
    attempt('failure', 140)
    assert.equal(made.retryAt, 145_000, 'the first open time again')
  })

  it('takes a trial of which nothing was learnt for none', () => {
    const { made, attempt } = breaker({ minRequests: 1 })
    attempt('failure', 1)
    attempt('unknown', 7)
    assert.equal(made.admits(7_000), true)
    attempt('alive', 7)
    assert.equal(made.openedAt, null)
  })

  it('closes with the first content of a trial, and judges by its end again', () => {
    const { made, attempt, state } = breaker({ minRequests: 1 })
    attempt('failure', 1)
    const passage = made.begin(7_000)
    made.recovered(passage)
    assert.equal(state(7), 'CLOSED')
    made.end('failure', passage, 8_000)
    assert.equal(state(8), 'OPEN')
  })

  it('does not wait for a trial that has said enough, nor believe one of an earlier time', () => {
    const { made, attempt, state } = breaker({ minRequests: 1 })
    attempt('failure', 1)
    const stream = made.begin(7_000)
    made.recovered(stream)
    attempt('failure', 8)
    assert.equal(made.admits(13_000), true, 'another trial, while the stream of the first goes on')
    const second = made.begin(13_000)
    made.end('success', stream, 14_000)
    assert.equal(state(14), 'HALF_OPEN')
    assert.equal(made.admits(14_000), false, 'the second is still under way')
    made.end('success', second, 15_000)
    assert.equal(state(15), 'CLOSED')
  })

  it('is not closed by what began before it opened, but by what came through all the same', () => {
    const { made, attempt, state } = breaker({ minRequests: 1 })
    const before = made.begin(1_000)
    attempt('failure', 1)
    made.end('success', before, 2_000)
    assert.equal(state(2), 'OPEN')
    const despite = made.begin(2_000)
    attempt('success', 3)
    assert.equal(state(3), 'CLOSED')
    attempt('failure', 4)
    made.end('success', despite, 5_000)
    assert.equal(state(5), 'OPEN', 'that one came through an earlier opening')
  })

  it('does what an operator has set, and begins anew when it is handed back', () => {
    const { made, attempt, state } = breaker({ minRequests: 1 })
    made.configure(DEFAULT_BREAKER, 'FORCED_OPEN')
    assert.deepEqual([state(1), made.admits(1_000), made.badness], ['FORCED_OPEN', false, null])
    made.configure({ ...DEFAULT_BREAKER, minRequests: 1 }, 'FORCED_CLOSED')
    for (let i = 0; i < 20; i++) attempt('failure', 1)
    assert.deepEqual([state(1), made.admits(1_000)], ['FORCED_CLOSED', true])
    made.configure(DEFAULT_BREAKER, null)
    made.reset()
    assert.deepEqual([state(1), made.countsAt(1_000).requests], ['CLOSED', 0])
  })

  it('closes when another process has seen its provider well, whatever it was seen to do here', () => {
    const { made, attempt, state, changes } = breaker({ consecutiveFailures: 3 })
    for (let i = 0; i < 3; i++) attempt('failure', 1)
    assert.equal(state(1), 'OPEN')
    made.hint(0, 2_000)
    assert.deepEqual([state(2), made.countsAt(2_000).requests], ['CLOSED', 0])
    assert.deepEqual(changes, [true], 'a hint is not passed on')
    made.hint(0, 3_000)
    assert.equal(state(3), 'CLOSED')
  })

  it("believes another proxy's hint unless what it has seen itself speaks against it", () => {
    const { made, attempt, state, changes } = breaker()
    made.hint(5_000, 1_000)
    assert.equal(state(1), 'OPEN')
    assert.equal(state(6), 'HALF_OPEN')
    assert.deepEqual(changes, [], 'a hint is not passed on')
    attempt('success', 6)
    for (let i = 0; i < 20; i++) attempt('success', 7)
    made.hint(5_000, 7_000)
    assert.equal(state(7), 'CLOSED')
  })
})
