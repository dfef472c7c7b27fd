import type { TokenUsage } from '@millrace/shared'

import { type JsonObject, isObject } from '../../canonical/values.ts'

/** Reads the `usage` of a response. @returns null for anything that has no token counts */
export function readResponseUsage(value: unknown): TokenUsage | null {
  if (!isObject(value)) return null
  const { input_tokens: input, output_tokens: output } = value
  if (typeof input !== 'number' && typeof output !== 'number') return null
  const inputDetails = value['input_tokens_details']
  const outputDetails = value['output_tokens_details']
  return {
    inputTokens: count(input),
    outputTokens: count(output),
    cachedInputTokens: detail(inputDetails, 'cached_tokens'),
    // OpenAI's name, and Perplexity's.
    cacheWriteTokens: detail(inputDetails, 'cache_write_tokens') || detail(inputDetails, 'cache_creation_input_tokens'),
    reasoningTokens: detail(outputDetails, 'reasoning_tokens'),
    inputAudioTokens: detail(inputDetails, 'audio_tokens'),
    outputAudioTokens: detail(outputDetails, 'audio_tokens'),
    source: 'PROVIDER',
  }
}

export function responseUsage(usage: TokenUsage): JsonObject {
  const { inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, reasoningTokens } = usage
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedInputTokens, cache_write_tokens: cacheWriteTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  }
}

function detail(value: unknown, name: string): number {
  return isObject(value) ? count(value[name]) : 0
}

/** What a record can hold; no model has ever seen so many. */
const MOST_TOKENS = 2_147_483_647

function count(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_TOKENS ? value : 0
}
