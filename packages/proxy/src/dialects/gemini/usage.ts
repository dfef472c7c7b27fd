import type { TokenUsage } from '@millrace/shared'

import { isObject, listOf, objectOf, tokensOf } from '../../canonical/values.ts'

/**
 * Reads `usageMetadata`. Thoughts are not among the candidates' tokens, nor what Gemini's own tools have found among the
 * prompt's: both are paid for.
 * @returns null for anything that has no token counts
 */
export function readUsage(value: unknown): TokenUsage | null {
  if (!isObject(value)) return null
  const { promptTokenCount, candidatesTokenCount, totalTokenCount } = value
  if (![promptTokenCount, candidatesTokenCount, totalTokenCount].some((one) => typeof one === 'number')) return null
  const input = tokensOf(promptTokenCount) + tokensOf(value['toolUsePromptTokenCount'])
  const thoughts = tokensOf(value['thoughtsTokenCount'])
  const said =
    candidatesTokenCount === undefined ? tokensOf(totalTokenCount) - input - thoughts : tokensOf(candidatesTokenCount)
  const audioIn =
    ofModality(value['promptTokensDetails'], 'AUDIO') + ofModality(value['toolUsePromptTokensDetails'], 'AUDIO')
  return {
    inputTokens: input,
    outputTokens: Math.max(0, said) + thoughts,
    cachedInputTokens: Math.min(input, tokensOf(value['cachedContentTokenCount'])),
    cacheWriteTokens: 0,
    reasoningTokens: thoughts,
    inputAudioTokens: audioIn,
    outputAudioTokens: ofModality(value['candidatesTokensDetails'], 'AUDIO'),
    ...imagesOf(value['candidatesTokensDetails']),
    source: 'PROVIDER',
  }
}

function imagesOf(details: unknown): { readonly outputImageTokens?: number } {
  const outputImageTokens = ofModality(details, 'IMAGE')
  return outputImageTokens > 0 ? { outputImageTokens } : {}
}

function ofModality(details: unknown, wanted: string): number {
  let sum = 0
  for (const detail of listOf(details)) {
    const { modality, tokenCount } = objectOf(detail)
    if (modality === wanted) sum += tokensOf(tokenCount)
  }
  return sum
}
