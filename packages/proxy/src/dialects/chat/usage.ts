import type { TokenUsage } from '@millrace/shared'

/**
 * Reads the `usage` object of chat completions: OpenAI's, and what the compatible ones make of it. DeepSeek tells cached input
 * as `prompt_cache_hit_tokens`, Moonshot as `cached_tokens`, Mistral as `num_cached_tokens` or in `prompt_token_details`, and
 * what was written into a cache Alibaba tells as `cache_creation_input_tokens`; xAI counts reasoning beside the completion,
 * not in it.
 * @returns null for anything that has no token counts
 */
export function readChatUsage(value: unknown): TokenUsage | null {
  if (typeof value !== 'object' || value === null) return null
  const usage = value as Record<string, unknown>
  if (typeof usage['prompt_tokens'] !== 'number' && typeof usage['completion_tokens'] !== 'number') return null
  const input = usage['prompt_tokens_details'] ?? usage['prompt_token_details']
  const output = usage['completion_tokens_details']
  const reasoning = count(detail(output, 'reasoning_tokens') ?? usage['reasoning_tokens'])
  const said = count(usage['completion_tokens'])
  const apart = count(usage['total_tokens']) === count(usage['prompt_tokens']) + said + reasoning
  const written = detail(input, 'cache_write_tokens') ?? detail(input, 'cache_creation_input_tokens')
  const cached =
    detail(input, 'cached_tokens') ??
    usage['prompt_cache_hit_tokens'] ??
    usage['cached_tokens'] ??
    usage['num_cached_tokens']
  return {
    inputTokens: count(usage['prompt_tokens']),
    outputTokens: apart ? said + reasoning : said,
    cachedInputTokens: count(cached),
    cacheWriteTokens: count(written ?? usage['cache_creation_input_tokens']),
    reasoningTokens: reasoning,
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
