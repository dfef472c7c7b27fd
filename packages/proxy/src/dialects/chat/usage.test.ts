import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { readChatUsage } from './usage.ts'

describe('usage', () => {
  for (const [name, usage, expected] of [
    [
      'OpenAI',
      { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14, completion_tokens_details: { reasoning_tokens: 3 } },
      [9, 5, 0, 3],
    ],
    [
      'DeepSeek',
      {
        prompt_tokens: 9,
        completion_tokens: 5,
        total_tokens: 14,
        prompt_cache_hit_tokens: 4,
        prompt_cache_miss_tokens: 5,
      },
      [9, 5, 4, 0],
    ],
    ['Moonshot', { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14, cached_tokens: 4 }, [9, 5, 4, 0]],
    ['Mistral', { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14, num_cached_tokens: 4 }, [9, 5, 4, 0]],
    [
      "Mistral's other form",
      { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14, prompt_token_details: { cached_tokens: 4 } },
      [9, 5, 4, 0],
    ],
    [
      'xAI, which counts thoughts apart',
      { prompt_tokens: 9, completion_tokens: 5, total_tokens: 17, completion_tokens_details: { reasoning_tokens: 3 } },
      [9, 8, 0, 3],
    ],
    [
      'Perplexity',
      { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14, reasoning_tokens: 3, cost: { total_cost: 0.1 } },
      [9, 5, 0, 3],
    ],
  ] as const) {
    it(`is read as ${name} tells it`, () => {
      const read = readChatUsage(usage)!
      assert.deepEqual([read.inputTokens, read.outputTokens, read.cachedInputTokens, read.reasoningTokens], expected)
    })
  }

  for (const [name, more] of [
    ['OpenRouter', { prompt_tokens_details: { cached_tokens: 1, cache_write_tokens: 7 } }],
    ['Alibaba', { prompt_tokens_details: { cached_tokens: 1, cache_creation_input_tokens: 7 } }],
    ['LiteLLM', { prompt_tokens_details: { cached_tokens: 1 }, cache_creation_input_tokens: 7 }],
  ] as const) {
    it(`tells what was written into a cache, as at ${name}`, () => {
      const read = readChatUsage({ prompt_tokens: 9, completion_tokens: 5, ...more })!
      assert.deepEqual([read.inputTokens, read.cachedInputTokens, read.cacheWriteTokens], [9, 1, 7])
    })
  }

  it('is none where nothing is counted', () => {
    for (const value of [null, 5, {}, { prompt_tokens: '5' }]) assert.equal(readChatUsage(value), null)
  })
})
