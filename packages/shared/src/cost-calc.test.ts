/** What requests cost here, compared with what the price list's own calculator says. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { calcPrice, findProvider } from '@pydantic/genai-prices'

import { PriceList, type PricedProvider } from './cost-list.ts'
import { costOf } from './cost.ts'
import { NO_USAGE, type TokenUsage } from './usage.ts'

const PROVIDERS: readonly (readonly [id: string, provider: PricedProvider])[] = [
  ['openai', { kind: 'OPENAI', baseUrl: null }],
  ['azure', { kind: 'AZURE_OPENAI', baseUrl: 'https://example.openai.azure.com' }],
  ['anthropic', { kind: 'ANTHROPIC', baseUrl: null }],
  ['google', { kind: 'GEMINI', baseUrl: null }],
  ['aws', { kind: 'BEDROCK', baseUrl: null }],
  ['azure', compatible('https://example.openai.azure.com')],
  ['deepseek', compatible('https://api.deepseek.com')],
  ['google', compatible('https://generativelanguage.googleapis.com')],
  ['groq', compatible('https://api.groq.com')],
  ['mistral', compatible('https://api.mistral.ai')],
  ['openrouter', compatible('https://openrouter.ai/api/v1')],
  ['perplexity', compatible('https://api.perplexity.ai')],
  ['together', compatible('https://api.together.xyz')],
  ['x-ai', compatible('https://api.x.ai')],
]

function compatible(baseUrl: string): PricedProvider {
  return { kind: 'OPENAI_COMPATIBLE', baseUrl }
}

const USAGES: readonly Partial<TokenUsage>[] = [
  { inputTokens: 1_234, outputTokens: 567 },
  { inputTokens: 10_000, outputTokens: 1, cachedInputTokens: 9_984 },
  { inputTokens: 3_001, outputTokens: 2_000, cachedInputTokens: 512, cacheWriteTokens: 1_024 },
  { inputTokens: 3_001, outputTokens: 2_000, cacheWriteTokens: 1_024, cacheWrite1hTokens: 512 },
  { inputTokens: 30, outputTokens: 2_000, outputImageTokens: 1_290, reasoningTokens: 500 },
  { inputTokens: 777, outputTokens: 9_001, reasoningTokens: 8_888 },
  { inputTokens: 2_000, outputTokens: 900, inputAudioTokens: 1_500, outputAudioTokens: 800 },
  { inputTokens: 2_000, outputTokens: 10, inputAudioTokens: 1_500, cachedInputTokens: 1_600 },
  { inputTokens: 199_999, outputTokens: 4_000, cachedInputTokens: 100_000 },
  { inputTokens: 200_001, outputTokens: 4_000, cachedInputTokens: 100_000 },
  { inputTokens: 1_999_999, outputTokens: 127_999, cachedInputTokens: 3, reasoningTokens: 99 },
]
/** Two changes of price apart from now. */
const MOMENTS = ['2025-03-01T12:00:00Z', '2026-11-20T03:00:00Z'].map((time) => Date.parse(time))

/** Anthropic's own; it says nothing of an hour where others serve these models. */
const HAS_HOUR = new Set(['anthropic'])

/** In the calculator's words. */
function unitsOf(usage: TokenUsage): Record<string, number> {
  const { inputTokens, inputAudioTokens, cachedInputTokens } = usage
  return {
    input_tokens: inputTokens,
    output_tokens: usage.outputTokens,
    cache_read_tokens: cachedInputTokens,
    cache_audio_read_tokens: Math.max(0, cachedInputTokens - (inputTokens - inputAudioTokens)),
    cache_write_tokens: usage.cacheWriteTokens,
    cache_write_1h_tokens: usage.cacheWrite1hTokens ?? 0,
    input_audio_tokens: inputAudioTokens,
    output_audio_tokens: usage.outputAudioTokens,
    output_image_tokens: usage.outputImageTokens ?? 0,
    output_reasoning_tokens: usage.reasoningTokens,
  }
}

describe("every model's cost is the calculator's", () => {
  for (const [providerId, provider] of PROVIDERS) {
    it(`${providerId} as ${provider.kind}`, () => {
      let compared = 0
      for (const now of MOMENTS) {
        const list = new PriceList()
        for (const { id } of findProvider({ providerId })!.models) {
          const price = list.priceOf(provider, id, now)
          if (price === null) continue
          for (const some of USAGES) {
            if (some.cacheWrite1hTokens !== undefined && !HAS_HOUR.has(providerId)) continue
            const usage: TokenUsage = { ...NO_USAGE, ...some, source: 'PROVIDER' }
            const told = calcPrice(unitsOf(usage), id, { providerId, timestamp: new Date(now) })!.total_price
            const cost: number = Number(costOf(usage, price))
            assert.ok(Math.abs(cost - told) <= 1e-12 + told * 1e-12, `${id} ${JSON.stringify(some)}: ${cost} ${told}`)
            compared++
          }
        }
      }
      assert.ok(compared > 50, String(compared))
    })
  }
})
