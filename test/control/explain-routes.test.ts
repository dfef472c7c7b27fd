/** What a request's route would be chosen by, on each database. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { createProvider } from '../helpers/configuration.ts'
import type { AliasOptions, RouteOptions } from '../helpers/configuration.ts'
import { chosen, Explaining, type Made } from './explaining.ts'
import { ReportedProxy, routeReport } from './reports.ts'
import { onEachDatabase } from './suites.ts'

await onEachDatabase((stage) => {
  const explaining = new Explaining(stage)
  const explain = (input: object): Promise<any> => explaining.explain(input)
  const simulator = (more = {}): Promise<string> => explaining.simulator(more)
  const alias = (routes: RouteOptions[], options?: AliasOptions, name?: string): Promise<Made> =>
    explaining.alias(routes, options, name)

  describe('by the strategy', () => {
    const scoresOf = (decision: any): (number | null)[] => decision.candidates.map((one: any) => one.score)

    test('the lowest priority number comes first, and weights decide in it', async () => {
      const provider = await simulator()
      const weighing = [
        { provider, weight: 0 },
        { provider, weight: 1, priority: 1 },
        { provider, weight: 5 },
      ]
      const { name } = await alias(weighing)
      const decision = await explain({ model: name })
      assert.deepEqual([scoresOf(decision), chosen(decision)], [[0, 5, 1], 1])
      for (const strategy of ['ROUND_ROBIN', 'RANDOM'] as const) {
        const made = await alias(weighing, { strategy })
        const other = await explain({ model: made.name })
        assert.deepEqual([other.strategy, scoresOf(other)], [strategy, [null, null, null]])
        assert.ok(chosen(other) < 2)
      }
    })

    test('LEAST_LATENCY and LEAST_BUSY go by what proxies report', async () => {
      const provider = await simulator()
      const quick = await alias([{ provider }, { provider }], { strategy: 'LEAST_LATENCY' })
      const idle = await alias([{ provider, weight: 2 }, { provider }], { strategy: 'LEAST_BUSY' })
      await using one = new ReportedProxy(stage.control)
      await using other = new ReportedProxy(stage.control)
      await one.report({
        routes: [
          routeReport(quick.routes[0]!, { streamLatencyMs: 100, answerLatencyMs: 1_000, inFlight: 1 }),
          routeReport(idle.routes[0]!, { inFlight: 3 }),
        ],
      })
      await other.report({
        routes: [
          routeReport(quick.routes[0]!, { streamLatencyMs: 300 }),
          routeReport(idle.routes[0]!, { inFlight: 4 }),
          routeReport(idle.routes[1]!, { inFlight: 2 }),
        ],
      })
      assert.deepEqual(scoresOf(await explain({ model: quick.name })), [2_000, null])
      assert.deepEqual(scoresOf(await explain({ model: quick.name, body: { stream: true } })), [400, null])
      const busy = await explain({ model: idle.name })
      assert.deepEqual([scoresOf(busy), chosen(busy)], [[4, 3], 1])
    })

    test('LOWEST_COST goes by prices and the expected tokens', async () => {
      const [provider, listed] = await Promise.all([
        simulator(),
        createProvider(stage.control, 'https://api.openai.com/v1', { kind: 'OPENAI' }),
      ])
      const made = await alias(
        [
          { provider, inputPrice: '2', outputPrice: '10' },
          { provider, inputPrice: '3', outputPrice: '3' },
          { provider },
          { provider: listed, providerModel: 'gpt-4o-mini' },
        ],
        { strategy: 'LOWEST_COST' },
      )
      const [first, second, third, fourth] = scoresOf(
        await explain({ model: made.name, body: { messages: 'x'.repeat(999) } }),
      )
      assert.deepEqual([Math.round(first! * 1_000), Math.round(second! * 1_000), third], [4_000, 3_000, null])
      assert.ok(fourth! > 0 && fourth! < 1)
      assert.equal(chosen(await explain({ model: made.name })), 3)
    })
  })
})
