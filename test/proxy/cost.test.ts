/** What a request cost: by the route's own prices or the price list, whole or as far as it went. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { uniqueName } from '../helpers/gateway.ts'
import type { Routed } from '../helpers/routed.ts'
import { useScene } from '../helpers/scene.ts'
import type { StoredRecord } from '../helpers/stored-record.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'

const scene = useScene()
/** USD per million tokens. */
const PRICES = { inputPrice: '2', outputPrice: '10', cachedInputPrice: '0.5' }
/** 15 tokens of input at 2, 4 from the cache at 0.5, 7 of output at 10. */
const COST_USD = 0.000102

function assertCost(actual: unknown, expected: number): void {
  assert.equal(typeof actual, 'string', `a decimal string, not ${String(actual)}`)
  assert.match(actual as string, /^\d+(\.\d+)?$/)
  assert.ok(Math.abs(Number(actual) - expected) < 1e-12, `${String(actual)}, not ${expected}`)
}

async function ask<K extends string>(routed: Routed<K>, more: Readonly<Record<string, unknown>> = {}) {
  const id = uniqueName('cost')
  const answer = await scene.chat(scene.body(routed.model, more), { 'x-request-id': id })
  return { answer, record: await scene.gateway.record(id) }
}

/** What so much usage costs at {@link PRICES}. */
const priced = ({ inputTokens, cachedInputTokens, outputTokens }: StoredRecord['usage']): number =>
  ((inputTokens - cachedInputTokens) * 2 + cachedInputTokens * 0.5 + outputTokens * 10) / 1_000_000

describe('a request costs', { concurrency: true }, () => {
  for (const stream of [false, true]) {
    test(`what its route's own prices say${stream ? ', streamed' : ''}`, async () => {
      const { answer, record } = await ask(await scene.routed({ only: PRICES }), { stream })
      assertCost(record.costUsd, COST_USD)
      if (stream) assert.equal(answer.headers['x-millrace-cost-usd'], undefined, 'a stream does not know it yet')
      else assertCost(answer.headers['x-millrace-cost-usd'], COST_USD)
    })
  }

  test('the whole price of input for what came from the cache, where that has no price of its own', async () => {
    const { record } = await ask(await scene.routed({ only: { inputPrice: '2', outputPrice: '10' } }))
    const cost = Number(record.costUsd)
    assert.ok(Math.abs(cost - (19 * 2 + 7 * 10) / 1_000_000) < 1e-12, String(record.costUsd))
  })

  test('what the route says that answered, not the one that failed', async () => {
    const routed = await scene.routed({
      first: { behaviour: behaviours.serverError(), inputPrice: '1000', outputPrice: '1000' },
      other: { ...PRICES, priority: 1 },
    })
    assertCost((await ask(routed)).record.costUsd, COST_USD)
  })

  test('what the price list says of a model that it knows', async () => {
    const provider = await scene.gateway.addProvider(scene.upstream.baseUrl, { kind: 'OPENAI' })
    const alias = uniqueName('listed')
    await scene.gateway.addAlias(alias, [{ provider, providerModel: 'gpt-4o-mini' }])
    await scene.gateway.untilServed()
    const answer = await scene.chat(scene.body(alias))
    assert.ok(Number(answer.headers['x-millrace-cost-usd']) > 0, 'a price')
    const record = await scene.gateway.record(String(answer.headers['x-request-id']))
    assert.equal(record.costUsd, answer.headers['x-millrace-cost-usd'])
  })

  test('nothing that is known, without a price', async () => {
    const { answer, record } = await ask(await scene.routed({ only: {} }))
    assert.equal(record.costUsd, null)
    assert.equal(answer.headers['x-millrace-cost-usd'], undefined)
  })

  test("nothing, by the client's own key: that is on the client's own bill", async () => {
    const { secret } = await scene.gateway.addToken({ access: { ownKeys: true } })
    const routed = await scene.routed({ only: PRICES })
    const headers = {
      authorization: `Bearer ${secret}`,
      'x-millrace-upstream-key': 'sk-of-the-client-0123456789',
      'x-millrace-include': 'metadata',
    }
    for (const stream of [false, true]) {
      const answer = await scene.chat(scene.body(routed.model, { stream }), headers)
      assert.equal(answer.status, 200, answer.text)
      assert.equal(answer.headers['x-millrace-cost-usd'], undefined)
      assert.match(answer.text, /"cost_usd":null/)
      const record = await scene.gateway.record(String(answer.headers['x-request-id']))
      assert.deepEqual([record.costUsd, record.usage.source], [null, 'PROVIDER'])
      assert.equal(record.attempts[0]!.credentialSource, 'REQUEST')
    }
  })

  test('nothing, where nothing was used', async () => {
    for (const behaviour of [behaviours.badRequest(), behaviours.serverError(), behaviours.reset()]) {
      const { record } = await ask(await scene.routed({ only: { ...PRICES, behaviour } }))
      assert.ok(record.costUsd === null || Number(record.costUsd) === 0, String(record.costUsd))
      assert.equal(record.usage.source, 'NONE')
    }
  })
})

describe('what breaks off costs what had come of it, and says that this is an estimate', { concurrency: true }, () => {
  for (const [name, behaviour] of [
    ['a cut', behaviours.cutOff('mid-event')],
    ['an error event', behaviours.errorEventLater()],
    ['an end without a terminal event', behaviours.endEarly('mid-body')],
  ] as const) {
    test(name, async () => {
      const { answer, record } = await ask(await scene.routed({ only: { ...PRICES, behaviour } }), { stream: true })
      assert.equal(answer.status, 200)
      assert.equal(record.status, 'ERROR')
      assert.equal(record.usage.source, 'ESTIMATED')
      assert.ok(record.usage.inputTokens > 0 && record.usage.outputTokens > 0)
      assertCost(record.costUsd, priced(record.usage))
    })
  }

  test('a client that goes', async () => {
    const routed = await scene.routed({ only: { ...PRICES, behaviour: behaviours.stall('mid-body') } })
    const id = uniqueName('cost')
    const answer = await scene.open(scene.body(routed.model, { stream: true }), { 'x-request-id': id })
    await answer.until('from')
    answer.abort()
    const record = await scene.gateway.record(id)
    assert.deepEqual([record.status, record.usage.source], ['CANCELLED', 'ESTIMATED'])
    assertCost(record.costUsd, priced(record.usage))
  })

  test('usage that the provider has told is its own, whatever broke then', async () => {
    const { record } = await ask(await scene.routed({ only: { ...PRICES, behaviour: behaviours.missingDone() } }), {
      stream: true,
    })
    assert.deepEqual([record.status, record.usage.source], ['ERROR', 'PROVIDER'])
    assertCost(record.costUsd, COST_USD)
  })
})
