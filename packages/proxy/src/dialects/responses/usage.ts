import type { TokenUsage } from '@millrace/shared'

import { isObject, objectOf, tokensOf, type JsonObject } from '../../canonical/values.ts'

/** Reads the `usage` of a response. @returns null for anything that has no token counts */
export function readResponseUsage(value: unknown): TokenUsage | null {
  if (!isObject(value)) return null
  const { input_tokens: input, output_tokens: output } = value
  if (typeof input !== 'number' && typeof output !== 'number') return null
  const inputDetails = objectOf(value['input_tokens_details'])
  const outputDetails = objectOf(value['output_tokens_details'])
  return {
    inputTokens: tokensOf(input),
    outputTokens: tokensOf(output),
    cachedInputTokens: tokensOf(inputDetails['cached_tokens']),
    // OpenAI's name, and Perplexity's.
    cacheWriteTokens:
      tokensOf(inputDetails['cache_write_tokens']) || tokensOf(inputDetails['cache_creation_input_tokens']),
    reasoningTokens: tokensOf(outputDetails['reasoning_tokens']),
    inputAudioTokens: tokensOf(inputDetails['audio_tokens']),
    outputAudioTokens: tokensOf(outputDetails['audio_tokens']),
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
