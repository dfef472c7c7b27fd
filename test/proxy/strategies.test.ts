/** How live traffic spreads over routes of one priority. Shares are bounded loosely: the exact ones are unit tests' business. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { Answer } from '../helpers/http.ts'
import type { Routed } from '../helpers/routed.ts'
import { useScene } from '../helpers/scene.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { waitFor } from '../helpers/wait.ts'

const scene = useScene()

/** So many requests, some at a time. */
async function ask<K extends string>({ model }: Routed<K>, count: number, atOnce = 20): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let left = count; left > 0; left -= atOnce) {
    const some = Array.from({ length: Math.min(left, atOnce) }, () => scene.chat(scene.body(model)))
    answers.push(...(await Promise.all(some)))
  }
  return answers
}

function assertBetween(value: number | undefined, low: number, high: number): void {
  assert.ok(value !== undefined && value >= low && value <= high, `${value} is not within ${low} and ${high}`)
}

describe('the strategy', { concurrency: true }, () => {
  test('WEIGHTED meets the weights', async () => {
    const routed = await scene.routed({ three: { weight: 3 }, one: { weight: 1 }, none: { weight: 0 } })
    const { three, one, none } = routed.count(await ask(routed, 400))
    assertBetween(three, 260, 340)
    assertBetween(one, 60, 140)
    assert.equal(none, undefined, 'a weight of 0 beside others gets nothing')
  })

  test('WEIGHTED is the one without another', async () => {
    const routed = await scene.routed({ nine: { weight: 9 }, one: { weight: 1 } })
    const record = await scene.gateway.record(String((await ask(routed, 1))[0]!.headers['x-request-id']))
    assert.equal(record.decision?.strategy, 'WEIGHTED')
    const { nine } = routed.count(await ask(routed, 100))
    assertBetween(nine, 75, 100)
  })

  test('RANDOM takes any, whatever the weights', async () => {
    const routed = await scene.routed({ heavy: { weight: 100 }, light: {} }, { strategy: 'RANDOM' })
    const { heavy, light } = routed.count(await ask(routed, 200))
    assertBetween(heavy, 60, 140)
    assertBetween(light, 60, 140)
  })

  for (const strategy of ['ROUND_ROBIN', 'RANDOM', 'LEAST_LATENCY', 'LEAST_BUSY', 'LOWEST_COST'] as const) {
    test(`${strategy}, too, gives nothing to a weight of 0 while there are others`, async () => {
      const none = { weight: 0, inputPrice: '0.1', outputPrice: '0.1' }
      const routed = await scene.routed({ one: {}, other: {}, none }, { strategy })
      await ask(routed, 40, 5)
      assert.equal(routed.calls('none'), 0)
      for (const key of ['one', 'other'] as const) routed.behaves(key, behaviours.serverError())
      assert.deepEqual(routed.count(await ask(routed, 1)), { none: 1 })
    })
  }

  test('LEAST_LATENCY keeps to the quicker, and finds one that has become it', async () => {
    const slow = behaviours.answer({ afterMs: 250 })
    const routed = await scene.routed({ left: {}, right: { behaviour: slow } }, { strategy: 'LEAST_LATENCY' })
    // In the end: for a while, the machine may make either the slower.
    const keepsTo = (key: 'left' | 'right'): Promise<boolean> =>
      waitFor(async () => (routed.count(await ask(routed, 40, 1))[key] ?? 0) >= 32, {
        what: `${key} to be found quicker`,
        timeoutMs: 60_000,
      })
    await keepsTo('left')
    routed.behaves('left', slow)
    routed.behaves('right', behaviours.answer())
    await keepsTo('right')
  })

  test('LEAST_BUSY goes by what is in flight for the weight', async () => {
    const release = Promise.withResolvers<void>()
    const held = behaviours.onceReleased(release.promise, behaviours.answer())
    const routed = await scene.routed(
      { two: { weight: 2, behaviour: held }, one: { weight: 1, behaviour: held } },
      { strategy: 'LEAST_BUSY' },
    )
    const answers: Promise<Answer>[] = []
    for (let count = 1; count <= 6; count++) {
      answers.push(scene.chat(scene.body(routed.model)))
      await waitFor(() => routed.calls('two') + routed.calls('one') === count, { what: `request ${count} upstream` })
    }
    release.resolve()
    assert.deepEqual(routed.count(await Promise.all(answers)), { two: 4, one: 2 })
  })

  test('LOWEST_COST takes the cheapest; an unknown price comes last', async () => {
    const routed = await scene.routed(
      {
        unknown: { weight: 100 },
        dear: { inputPrice: '10', outputPrice: '30' },
        cheap: { inputPrice: '0.1', outputPrice: '0.3' },
      },
      { strategy: 'LOWEST_COST' },
    )
    assert.deepEqual(routed.count(await ask(routed, 20)), { cheap: 20 })
    routed.behaves('cheap', behaviours.serverError())
    assert.deepEqual(routed.count(await ask(routed, 2, 1)), { dear: 2 })
  })
})

// By itself: turns begin anew with each change of the configuration.
test('ROUND_ROBIN takes turns, whatever the weights', async () => {
  const routed = await scene.routed({ a: { weight: 100 }, b: {}, c: {} }, { strategy: 'ROUND_ROBIN' })
  const answers = await ask(routed, 30, 1)
  assert.deepEqual(routed.count(answers), { a: 10, b: 10, c: 10 })
  const order = answers.map((answer) => routed.by(answer))
  for (let i = 3; i < order.length; i++) assert.equal(order[i], order[i - 3])
})

test('the scores that a decision was made by stand in it', async () => {
  const routed = await scene.routed(
    { cheap: { inputPrice: '1', outputPrice: '1' }, dear: { inputPrice: '2', outputPrice: '2' } },
    { strategy: 'LOWEST_COST' },
  )
  const [answer] = await ask(routed, 1)
  const { decision } = await scene.gateway.record(String(answer!.headers['x-request-id']))
  const [cheap, dear] = decision!.candidates.map(({ score }) => score)
  assert.ok(typeof cheap === 'number' && typeof dear === 'number' && cheap < dear, `${cheap}, ${dear}`)
  assert.deepEqual(
    decision!.candidates.map(({ selected }) => selected),
    [true, false],
  )
})
