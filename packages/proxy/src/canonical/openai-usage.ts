import type { TokenUsage } from '@millrace/shared'

/** As OpenAI's `usage` of chat completions, and of completions. */
export function writeOpenAiUsage(usage: TokenUsage): Readonly<Record<string, unknown>> {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cachedInputTokens,
      audio_tokens: usage.inputAudioTokens,
      cache_write_tokens: usage.cacheWriteTokens,
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      audio_tokens: usage.outputAudioTokens,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}
