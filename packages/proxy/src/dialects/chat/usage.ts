import type { TokenUsage } from '@millrace/shared'

/**
 * Reads the `usage` object of chat completions (OpenAI's, and what the compatible ones make of it).
 * @returns null for anything that has no token counts
 */
export function readChatUsage(value: unknown): TokenUsage | null {
  if (typeof value !== 'object' || value === null) return null
  const usage = value as Record<string, unknown>
  if (typeof usage['prompt_tokens'] !== 'number' && typeof usage['completion_tokens'] !== 'number') return null
  const input = usage['prompt_tokens_details']
  const output = usage['completion_tokens_details']
  return {
    inputTokens: count(usage['prompt_tokens']),
    outputTokens: count(usage['completion_tokens']),
    cachedInputTokens: count(detail(input, 'cached_tokens')),
    cacheWriteTokens: count(detail(input, 'cache_write_tokens')),
    reasoningTokens: count(detail(output, 'reasoning_tokens')),
    inputAudioTokens: count(detail(input, 'audio_tokens')),
    outputAudioTokens: count(detail(output, 'audio_tokens')),
    source: 'PROVIDER',
  }
}

function detail(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

/** What a record can hold; no model has ever seen so many. */
const MOST_TOKENS = 2_147_483_647

function count(value: unknown): number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_TOKENS ? value : 0
}
