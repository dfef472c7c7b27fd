/** Tokens, as the Messages API counts and bills them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { readUsage, writeUsage } from './usage.ts'

const TOLD = {
  input_tokens: 23,
  cache_creation_input_tokens: 6,
  cache_read_input_tokens: 2,
  cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 4 },
  output_tokens: 10,
  output_tokens_details: { thinking_tokens: 7 },
}

describe('usage', () => {
  test('has what came from the cache, and went into it, in its input', () => {
    const { inputTokens, cachedInputTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens, reasoningTokens } =
      readUsage(TOLD)!
    assert.deepEqual(
      [inputTokens, cachedInputTokens, cacheWriteTokens, cacheWrite1hTokens, outputTokens, reasoningTokens],
      [31, 2, 6, 4, 10, 7],
    )
  })

  test('is said again as it was told', () => {
    const written = writeUsage(readUsage(TOLD), 'standard')
    for (const [name, value] of Object.entries(TOLD)) assert.deepEqual(written[name], value, name)
    assert.equal(written['service_tier'], 'standard')
  })

  test('has in it what the conversation was summed up with', () => {
    const compaction = {
      type: 'compaction',
      input_tokens: 180,
      cache_read_input_tokens: 20,
      cache_creation_input_tokens: 3,
      output_tokens: 35,
    }
    const iterations = [compaction, { type: 'message', input_tokens: 23, output_tokens: 10 }, null]
    const { inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens } = readUsage({ ...TOLD, iterations })!
    assert.deepEqual([inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens], [31 + 203, 22, 9, 45])
  })

  test('of the end adds to that of the beginning what is new in it', () => {
    const end = readUsage({ output_tokens: 40 }, readUsage(TOLD))!
    assert.deepEqual([end.inputTokens, end.cacheWrite1hTokens, end.outputTokens], [31, 4, 40])
  })

  test('that is none is not taken for any', () => {
    for (const value of [null, 'x', [], {}, { input_tokens: '1' }]) assert.equal(readUsage(value), null)
    assert.equal(readUsage({ input_tokens: -1, output_tokens: 1e300 })!.outputTokens, 0)
  })
})
