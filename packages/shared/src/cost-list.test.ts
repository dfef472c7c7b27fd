import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { findProvider } from '@pydantic/genai-prices'

import { PriceList } from './cost-list.ts'

const OPENAI = { kind: 'OPENAI', baseUrl: 'https://api.openai.com/v1' }
const at = (baseUrl: string): { kind: string; baseUrl: string } => ({ kind: 'OPENAI_COMPATIBLE', baseUrl })
const list = new PriceList()

describe('PriceList', () => {
  it("knows OpenAI's models, wherever an OPENAI provider lives", () => {
    const expected = { input: 2.5, output: 10, cachedInput: 1.25, tiers: [] }
    assert.deepEqual(list.priceOf(OPENAI, 'gpt-4o'), expected)
    assert.deepEqual(list.priceOf({ kind: 'OPENAI', baseUrl: null }, 'gpt-4o'), expected)
    assert.deepEqual(list.priceOf({ kind: 'OPENAI', baseUrl: 'http://127.0.0.1:9/v1' }, 'gpt-4o-2024-08-06'), expected)
    assert.equal(list.priceOf(OPENAI, 'no-such-model'), null)
  })

  it('prices input alone where there is no output', () => {
    const price = list.priceOf(OPENAI, 'text-embedding-3-small')
    assert.deepEqual(price, { input: 0.02, output: 0, cachedInput: 0.02, tiers: [] })
  })

  it('knows what is free, and what is not paid for by tokens', () => {
    const free = list.priceOf(at('https://openrouter.ai/api/v1'), 'deepseek/deepseek-r1:free')
    assert.deepEqual(free, { input: 0, output: 0, cachedInput: 0, tiers: [] })
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
    assert.deepEqual(list.priceOf(at('https://generativelanguage.googleapis.com/v1beta/openai'), 'gemini-2.5-pro'), {
      input: 1.25,
      output: 10,
      cachedInput: 0.125,
      tiers: [{ above: 200_000, input: 2.5, output: 15, cachedInput: 0.25 }],
    })
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

  it('reads every model of the providers that many use', () => {
    for (const providerId of ['openai', 'azure', 'google', 'groq', 'mistral', 'together', 'x-ai', 'perplexity']) {
      const provider = findProvider({ providerId })!
      for (const { id } of provider.models) {
        const price = list.priceOf(providerId === 'openai' ? OPENAI : at(addressOf(providerId)), id)
        for (const rates of price === null ? [] : [price, ...price.tiers]) {
          for (const rate of [rates.input, rates.output, rates.cachedInput]) assert.ok(rate >= 0, `${providerId}/${id}`)
        }
      }
    }
  })
})

function addressOf(providerId: string): string {
  const addresses: Readonly<Record<string, string>> = {
    azure: 'https://example.openai.azure.com',
    google: 'https://generativelanguage.googleapis.com',
    groq: 'https://api.groq.com',
    mistral: 'https://api.mistral.ai',
    together: 'https://api.together.xyz',
    'x-ai': 'https://api.x.ai',
    perplexity: 'https://api.perplexity.ai',
  }
  return addresses[providerId]!
}
