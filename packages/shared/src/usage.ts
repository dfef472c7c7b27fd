/** Where token counts come from: the provider's own, an estimate of ours, or nowhere. */
export const USAGE_SOURCES = ['PROVIDER', 'ESTIMATED', 'NONE'] as const
export type UsageSource = (typeof USAGE_SOURCES)[number]

/**
 * Tokens of one request. `cachedInputTokens`, `cacheWriteTokens` and `inputAudioTokens` are part of `inputTokens`,
 * `reasoningTokens`, `outputAudioTokens` and `outputImageTokens` of `outputTokens`.
 */
export interface TokenUsage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedInputTokens: number
  /** Those that the provider put into its cache now, as far as it says so. */
  readonly cacheWriteTokens: number
  /** Of `cacheWriteTokens`, those to be kept for an hour, which costs more. Records don't keep it; absent: none. */
  readonly cacheWrite1hTokens?: number
  readonly reasoningTokens: number
  readonly inputAudioTokens: number
  readonly outputAudioTokens: number
  /** Those that are images. Records don't keep it; absent: none. */
  readonly outputImageTokens?: number
  readonly source: UsageSource
}

export const NO_USAGE: TokenUsage = {
  inputTokens: 0,
  outputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  inputAudioTokens: 0,
  outputAudioTokens: 0,
  source: 'NONE',
}

/** Characters a token, on average over English text and code; the usual rule of thumb. */
const CHARACTERS_PER_TOKEN = 4

/** Tokens in a text of so many characters, estimated without a tokenizer. */
export function estimateTokens(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN)
}
