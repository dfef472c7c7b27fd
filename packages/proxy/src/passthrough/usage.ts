/** What answers of the OpenAI family say that they used, in each of its spellings: chat's, Responses', images', audio's. */
import type { TokenUsage } from '@millrace/shared'

import { isObject, isTokenCount, jsonOf, objectOf, type JsonObject } from '../canonical/values.ts'
import { skipValue, utf8FromLatin1 } from '../stream/json.ts'

/** @param literal JSON, bytes as latin1 @returns null for what tells of no tokens: an audio's length in seconds is none */
export function readUsage(literal: string): TokenUsage | null {
  const value = jsonOf(utf8FromLatin1(literal))
  if (!isObject(value)) return null
  const input = countOf(value, 'input_tokens', 'prompt_tokens')
  const output = countOf(value, 'output_tokens', 'completion_tokens')
  const total = countOf(value, 'total_tokens')
  if (input === null && output === null && total === null) return null
  // Some, as rerankers, tell no more than a sum.
  const inputTokens = input ?? Math.max(0, (total ?? 0) - (output ?? 0))
  const inputDetails = objectOf(
    value['input_tokens_details'] ?? value['input_token_details'] ?? value['prompt_tokens_details'],
  )
  const outputDetails = objectOf(
    value['output_tokens_details'] ?? value['output_token_details'] ?? value['completion_tokens_details'],
  )
  const outputImageTokens = countOf(outputDetails, 'image_tokens')
  return {
    inputTokens,
    outputTokens: output ?? 0,
    cachedInputTokens: countOf(inputDetails, 'cached_tokens') ?? 0,
    cacheWriteTokens: countOf(inputDetails, 'cache_write_tokens') ?? 0,
    reasoningTokens: countOf(outputDetails, 'reasoning_tokens') ?? 0,
    inputAudioTokens: countOf(inputDetails, 'audio_tokens') ?? 0,
    outputAudioTokens: countOf(outputDetails, 'audio_tokens') ?? 0,
    ...(outputImageTokens !== null && { outputImageTokens }),
    source: 'PROVIDER',
  }
}

/** Bytes of a stream's end that its usage is looked for in. */
const TAIL_BYTES = 16_384
/** In a text its quotes would be escaped. */
const USAGE = /"usage"\s*:\s*(?=\{)/g

/** Finds the usage in the last event of a stream that has one, however large the events are: of the stream only its end is kept. */
export class UsageTail {
  private tail = ''

  add(chunk: Buffer): void {
    const text = chunk.toString('latin1', Math.max(0, chunk.length - TAIL_BYTES))
    this.tail = text.length >= TAIL_BYTES ? text : (this.tail + text).slice(-TAIL_BYTES)
  }

  read(): TokenUsage | null {
    let usage: TokenUsage | null = null
    for (const { 0: name, index } of this.tail.matchAll(USAGE)) {
      const start = index + name.length
      const end = skipValue(this.tail, start)
      if (end > 0) usage = readUsage(this.tail.slice(start, end)) ?? usage
    }
    return usage
  }
}

function countOf(object: JsonObject, ...names: readonly string[]): number | null {
  for (const name of names) {
    const value = object[name]
    if (isTokenCount(value)) return value
  }
  return null
}
