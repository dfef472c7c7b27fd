import { NO_USAGE, type TokenUsage } from '@millrace/shared'

import { isObject, listOf, MOST_TOKENS, objectOf, tokensOf } from '../../canonical/values.ts'

/**
 * Reads Converse's `usage`. What came out of the cache and what went into it stands beside the rest of the input there, and
 * is part of it here.
 * @returns null for anything that has no token counts
 */
export function readUsage(value: unknown): TokenUsage | null {
  if (!isObject(value)) return null
  const { inputTokens, outputTokens, cacheReadInputTokens, cacheWriteInputTokens } = value
  if (typeof inputTokens !== 'number' && typeof outputTokens !== 'number') return null
  const cachedInputTokens = tokensOf(cacheReadInputTokens)
  const cacheWriteTokens = tokensOf(cacheWriteInputTokens)
  return {
    ...NO_USAGE,
    inputTokens: Math.min(tokensOf(inputTokens) + cachedInputTokens + cacheWriteTokens, MOST_TOKENS),
    outputTokens: tokensOf(outputTokens),
    cachedInputTokens,
    cacheWriteTokens,
    ...longWrites(value['cacheDetails']),
    source: 'PROVIDER',
  }
}

/** Of what went into the cache, what is kept there for an hour. */
function longWrites(details: unknown): { readonly cacheWrite1hTokens?: number } {
  let cacheWrite1hTokens = 0
  for (const detail of listOf(details)) {
    const { ttl, inputTokens } = objectOf(detail)
    if (ttl === '1h') cacheWrite1hTokens += tokensOf(inputTokens)
  }
  return cacheWrite1hTokens > 0 ? { cacheWrite1hTokens } : {}
}
