import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { PriceList } from './cost-list.ts'
import { flatRates, type Price } from './cost.ts'

const OPENAI = { kind: 'OPENAI', baseUrl: 'https://api.openai.com/v1' }
const at = (baseUrl: string): { kind: string; baseUrl: string } => ({ kind: 'OPENAI_COMPATIBLE', baseUrl })
const list = new PriceList()
const price = (input: number, output: number, more: Partial<Price> = {}): Price => ({
  ...flatRates(input, output),
  tiers: [],
  ...more,
})

describe('PriceList', () => {
  it("knows OpenAI's models, wherever an OPENAI provider lives", () => {
    const expected = price(2.5, 10, { cachedInput: 1.25, cachedInputAudio: 1.25 })
    assert.deepEqual(list.priceOf(OPENAI, 'gpt-4o'), expected)
    assert.deepEqual(list.priceOf({ kind: 'OPENAI', baseUrl: null }, 'gpt-4o'), expected)
    assert.deepEqual(list.priceOf({ kind: 'OPENAI', baseUrl: 'http://127.0.0.1:9/v1' }, 'gpt-4o-2024-08-06'), expected)
    assert.equal(list.priceOf(OPENAI, 'no-such-model'), null)
  })

  it("knows each vendor's models, wherever its kind lives", () => {
    const own = 'http://127.0.0.1:9'
    const rates = (kind: string, model: string): unknown => {
      const { input, output, cachedInput, cacheWrite, cacheWrite1h } = list.priceOf({ kind, baseUrl: own }, model)!
      return [input, output, cachedInput, cacheWrite, cacheWrite1h]
    }
    assert.deepEqual(rates('ANTHROPIC', 'claude-haiku-4-5-20251001'), [1, 5, 0.1, 1.25, 2])
    assert.deepEqual(rates('GEMINI', 'gemini-2.5-flash'), [0.3, 2.5, 0.03, 0.3, 0.3])
    assert.deepEqual(rates('GEMINI', 'models/gemini-2.5-flash'), rates('GEMINI', 'gemini-2.5-flash'))
    // What Azure's own list lacks is priced as at who made it.
    assert.deepEqual(rates('AZURE_OPENAI', 'gpt-4o'), [2.5, 10, 1.25, 2.5, 2.5])
    assert.deepEqual(rates('AZURE_OPENAI', 'phi-4'), [0.07, 0.14, 0.07, 0.07, 0.07])
    assert.equal(list.priceOf({ kind: 'AZURE_OPENAI', baseUrl: own }, 'our-deployment'), null)
    assert.equal(list.priceOf({ kind: 'ANTHROPIC', baseUrl: own }, 'gpt-4o'), null)
  })

  it("knows Bedrock's models by id, by inference profile and by ARN", () => {
    const haiku = 'anthropic.claude-haiku-4-5-20251001-v1:0'
    const inputOf = (model: string): number | undefined =>
      list.priceOf({ kind: 'BEDROCK', baseUrl: 'https://bedrock-runtime.eu-west-1.amazonaws.com' }, model)?.input
    assert.equal(inputOf('amazon.nova-lite-v1:0'), 0.06)
    assert.equal(inputOf('eu.amazon.nova-lite-v1:0'), 0.06)
    assert.deepEqual([inputOf(haiku), inputOf(`us.${haiku}`), inputOf(`global.${haiku}`)], [1.1, 1.1, 1])
    assert.equal(inputOf(`arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.${haiku}`), 1)
    assert.equal(inputOf('arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3'), undefined)
  })

  it('has twice the input price for what Claude keeps for an hour, where the list does not say it', () => {
    const bedrock = list.priceOf(
      { kind: 'BEDROCK', baseUrl: null },
      'global.anthropic.claude-sonnet-4-5-20250929-v1:0',
    )!
    assert.deepEqual([bedrock.cacheWrite, bedrock.cacheWrite1h], [3.75, 6])
    const nova = list.priceOf({ kind: 'BEDROCK', baseUrl: null }, 'amazon.nova-pro-v1:0')!
    assert.deepEqual([nova.cacheWrite, nova.cacheWrite1h], [0.8, 0.8])
  })

  it('has the price of images', () => {
    assert.equal(list.priceOf({ kind: 'GEMINI', baseUrl: null }, 'gemini-2.5-flash-image')!.outputImage, 30)
  })

  it('prices input alone where there is no output', () => {
    assert.deepEqual(list.priceOf(OPENAI, 'text-embedding-3-small'), price(0.02, 0))
  })

  it('knows what is free, and what is not paid for by tokens', () => {
    const free = list.priceOf(at('https://openrouter.ai/api/v1'), 'deepseek/deepseek-r1:free')
    assert.deepEqual(free, price(0, 0))
    assert.equal(list.priceOf(OPENAI, 'whisper-1'), null)
  })

  it('knows a compatible provider by its address', () => {
    const priced = [
      ['https://api.deepseek.com/v1', 'deepseek-chat'],
      ['https://api.mistral.ai/v1', 'mistral-large-latest'],
      ['https://openrouter.ai/api/v1', 'openai/gpt-4o'],
      ['https://example.openai.azure.com/openai/v1', 'gpt-4o'],
    ] as const
    for (const [baseUrl, model] of priced) assert.ok(list.priceOf(at(baseUrl), model)!.input > 0, baseUrl)
  })

  it('does not take a model for what another provider calls so', () => {
    for (const baseUrl of ['http://10.0.0.1:8000/v1', 'https://vllm.example/v1', 'https://api.mistral.ai/v1']) {
      assert.equal(list.priceOf(at(baseUrl), 'gpt-4'), null, baseUrl)
    }
    assert.equal(list.priceOf({ kind: 'OPENAI_COMPATIBLE', baseUrl: null }, 'gpt-4'), null)
    assert.equal(list.priceOf({ kind: 'SIMULATED', baseUrl: null }, 'gpt-4'), null)
    assert.equal(list.priceOf({ kind: 'LATER', baseUrl: 'https://api.openai.com/v1' }, 'gpt-4'), null)
  })

  it('has the tiers by input size', () => {
    const cached = (rate: number): Partial<Price> => ({ cachedInput: rate, cachedInputAudio: rate })
    const { tiers: _, ...above } = price(2.5, 15, cached(0.25))
    assert.deepEqual(
      list.priceOf(at('https://generativelanguage.googleapis.com/v1beta/openai'), 'gemini-2.5-pro'),
      price(1.25, 10, { ...cached(0.125), tiers: [{ ...above, above: 200_000 }] }),
    )
  })

  it('has the prices of audio, of reasoning, of what is put into a cache, and of a request', () => {
    assert.deepEqual(
      list.priceOf(OPENAI, 'gpt-realtime-mini'),
      price(0.6, 2.4, { cachedInput: 0.06, inputAudio: 10, cachedInputAudio: 0.3, outputAudio: 20 }),
    )
    const perplexity = (model: string): Price => list.priceOf(at('https://api.perplexity.ai'), model)!
    assert.deepEqual(perplexity('sonar-deep-research'), price(2, 8, { reasoning: 3 }))
    assert.deepEqual(perplexity('sonar'), price(1, 1, { request: 12_000 }))
    const { cacheWrite, tiers } = list.priceOf(OPENAI, 'gpt-6-sol')!
    assert.deepEqual([cacheWrite, ...tiers.map((tier) => [tier.above, tier.cacheWrite])], [2.5, [272_000, 5]])
  })

  it('has the prices of the date and the time of day', () => {
    const priceAt = (time: string): number | undefined => list.priceOf(OPENAI, 'o3', Date.parse(time))?.input
    assert.equal(priceAt('2025-06-09T23:59:00Z'), 10)
    assert.equal(priceAt('2025-06-10T00:01:00Z'), 2)
    const deepseek = (time: string): number | undefined =>
      list.priceOf(at('https://api.deepseek.com'), 'deepseek-chat', Date.parse(time))?.input
    assert.equal(deepseek('2026-01-01T00:29:00Z'), 0.135)
    assert.equal(deepseek('2026-01-01T00:31:00Z'), 0.27)
    assert.equal(deepseek('2026-01-01T16:31:00Z'), 0.135)
  })

  it('looks a model up once a minute', () => {
    const fresh = new PriceList()
    const first = fresh.priceOf(OPENAI, 'gpt-4o', 0)
    assert.equal(fresh.priceOf(OPENAI, 'gpt-4o', 59_999), first)
    const next = fresh.priceOf(OPENAI, 'gpt-4o', 60_000)
    assert.notEqual(next, first)
    assert.deepEqual(next, first)
  })

  it('keeps no more than it may of what clients ask for', () => {
    const fresh = new PriceList()
    const first = fresh.priceOf(OPENAI, 'gpt-4o', 0)
    for (let i = 0; i < 10_000; i++) fresh.priceOf(at('https://vllm.example/v1'), `m${i}`, 0)
    assert.notEqual(fresh.priceOf(OPENAI, 'gpt-4o', 0), first)
    assert.equal(fresh.priceOf(OPENAI, 'x'.repeat(257), 0), null)
  })
})
