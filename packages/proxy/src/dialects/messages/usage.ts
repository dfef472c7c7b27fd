/** Tokens, as the Messages API counts them: what was read from its cache, or put there, is no part of `input_tokens`. */
import type { TokenUsage } from '@millrace/shared'

import { isObject, listOf, objectOf, tokensOf, type JsonObject } from '../../canonical/values.ts'
import { exactNumber } from './exact-number.ts'

/**
 * Reads a `usage` object.
 * @param before what `message_start` said: `message_delta` repeats what has changed
 * @returns null for anything that has no token counts
 */
export function readUsage(value: unknown, before: TokenUsage | null = null): TokenUsage | null {
  if (!isObject(value)) return null
  const input = countOf(value['input_tokens'])
  const output = countOf(value['output_tokens'])
  if (input === null && output === null) return null
  const apart = compactions(value['iterations'])
  const cachedInputTokens =
    (countOf(value['cache_read_input_tokens']) ?? before?.cachedInputTokens ?? 0) +
    sumOf(apart, 'cache_read_input_tokens')
  const cacheWriteTokens =
    (countOf(value['cache_creation_input_tokens']) ?? before?.cacheWriteTokens ?? 0) +
    sumOf(apart, 'cache_creation_input_tokens')
  const thought = countOf(objectOf(value['output_tokens_details'])['thinking_tokens'])
  return {
    inputTokens: (input ?? uncachedOf(before)) + sumOf(apart, 'input_tokens') + cachedInputTokens + cacheWriteTokens,
    outputTokens: (output ?? before?.outputTokens ?? 0) + sumOf(apart, 'output_tokens'),
    cachedInputTokens,
    cacheWriteTokens,
    ...longWrites(value, before),
    reasoningTokens: thought ?? before?.reasoningTokens ?? 0,
    inputAudioTokens: 0,
    outputAudioTokens: 0,
    source: 'PROVIDER',
  }
}

/** What the summing up of a long conversation has used: it is billed, but the counts beside it leave it out. */
function compactions(iterations: unknown): readonly JsonObject[] {
  return listOf(iterations)
    .filter(isObject)
    .filter(({ type }) => type === 'compaction')
}

function sumOf(counts: readonly JsonObject[], name: string): number {
  return counts.reduce((sum, one) => sum + (countOf(one[name]) ?? 0), 0)
}

/** What is kept for an hour; only an answer's beginning tells it. */
function longWrites(usage: JsonObject, before: TokenUsage | null): { cacheWrite1hTokens?: number } {
  const told = countOf(objectOf(usage['cache_creation'])['ephemeral_1h_input_tokens'])
  const tokens = told ?? before?.cacheWrite1hTokens ?? 0
  return tokens > 0 ? { cacheWrite1hTokens: tokens } : {}
}

/** The `usage` of an answer. @param tier as {@link writeTier} gives it */
export function writeUsage(usage: TokenUsage | null, tier: string | null): JsonObject {
  const long = usage?.cacheWrite1hTokens ?? 0
  const written = usage?.cacheWriteTokens ?? 0
  const creation = written > 0 ? { ephemeral_5m_input_tokens: written - long, ephemeral_1h_input_tokens: long } : null
  return { ...writeCounts(usage), cache_creation: creation, inference_geo: null, service_tier: tier, speed: null }
}

/** The `usage` of `message_delta`. */
export function writeCounts(usage: TokenUsage | null): JsonObject {
  const reasoning = usage?.reasoningTokens ?? 0
  return {
    input_tokens: uncachedOf(usage),
    cache_creation_input_tokens: usage?.cacheWriteTokens ?? 0,
    cache_read_input_tokens: usage?.cachedInputTokens ?? 0,
    output_tokens: usage?.outputTokens ?? 0,
    output_tokens_details: reasoning > 0 ? { thinking_tokens: reasoning } : null,
    server_tool_use: null,
  }
}

/** The tier that an answer was made in, in OpenAI's words. */
export function readTier(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null
  return value === 'standard' ? 'default' : value
}

export function writeTier(tier: string | null): string | null {
  if (tier === 'default') return 'standard'
  return tier === 'priority' || tier === 'batch' ? tier : null
}

function uncachedOf(usage: TokenUsage | null): number {
  if (usage === null) return 0
  return Math.max(0, usage.inputTokens - usage.cachedInputTokens - usage.cacheWriteTokens)
}

/** Null: it is none; 0 of a number that cannot be one of tokens. */
function countOf(value: unknown): number | null {
  const number = exactNumber(value)
  return number === null ? null : tokensOf(number)
}
