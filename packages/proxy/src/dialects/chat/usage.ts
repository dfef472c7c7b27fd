import type { TokenUsage } from '@millrace/shared'

import { isObject, objectOf, tokensOf } from '../../canonical/values.ts'

/**
 * Reads the `usage` object of chat completions: OpenAI's, and what the compatible ones make of it. DeepSeek tells cached input
 * as `prompt_cache_hit_tokens`, Moonshot as `cached_tokens`, Mistral as `num_cached_tokens` or in `prompt_token_details`, and
 * what was written into a cache Alibaba tells as `cache_creation_input_tokens`; xAI counts reasoning beside the completion,
 * not in it.
 * @returns null for anything that has no token counts
 */
export function readChatUsage(value: unknown): TokenUsage | null {
  if (!isObject(value)) return null
  if (typeof value['prompt_tokens'] !== 'number' && typeof value['completion_tokens'] !== 'number') return null
  const input = objectOf(value['prompt_tokens_details'] ?? value['prompt_token_details'])
  const output = objectOf(value['completion_tokens_details'])
  const reasoning = tokensOf(output['reasoning_tokens'] ?? value['reasoning_tokens'])
  const said = tokensOf(value['completion_tokens'])
  const apart = tokensOf(value['total_tokens']) === tokensOf(value['prompt_tokens']) + said + reasoning
  const written = input['cache_write_tokens'] ?? input['cache_creation_input_tokens']
  const cached =
    input['cached_tokens'] ?? value['prompt_cache_hit_tokens'] ?? value['cached_tokens'] ?? value['num_cached_tokens']
  return {
    inputTokens: tokensOf(value['prompt_tokens']),
    outputTokens: apart ? said + reasoning : said,
    cachedInputTokens: tokensOf(cached),
    cacheWriteTokens: tokensOf(written ?? value['cache_creation_input_tokens']),
    reasoningTokens: reasoning,
    inputAudioTokens: tokensOf(input['audio_tokens']),
    outputAudioTokens: tokensOf(output['audio_tokens']),
    source: 'PROVIDER',
  }
}
