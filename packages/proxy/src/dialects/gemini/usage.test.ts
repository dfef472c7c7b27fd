import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { readUsage } from './usage.ts'

describe('usage', () => {
  const NONE = {
    inputTokens: 0,
    outputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteTokens: 0,
    reasoningTokens: 0,
    inputAudioTokens: 0,
    outputAudioTokens: 0,
    source: 'PROVIDER',
  }

  for (const [what, usageMetadata, expected] of [
    [
      'has thoughts and what tools have found',
      {
        promptTokenCount: 100,
        candidatesTokenCount: 10,
        thoughtsTokenCount: 5,
        toolUsePromptTokenCount: 7,
        cachedContentTokenCount: 60,
        totalTokenCount: 122,
        promptTokensDetails: [
          {
            modality: 'TEXT',
            tokenCount: 80,
          },
          {
            modality: 'AUDIO',
            tokenCount: 20,
          },
        ],
        candidatesTokensDetails: [
          {
            modality: 'AUDIO',
            tokenCount: 4,
          },
          {
            modality: 'IMAGE',
            tokenCount: 3,
          },
        ],
      },
      {
        inputTokens: 107,
        outputTokens: 15,
        cachedInputTokens: 60,
        reasoningTokens: 5,
        inputAudioTokens: 20,
        outputAudioTokens: 4,
        outputImageTokens: 3,
      },
    ],
    [
      'of an answer without text',
      { promptTokenCount: 9, thoughtsTokenCount: 5, totalTokenCount: 14 },
      { inputTokens: 9, outputTokens: 5, reasoningTokens: 5 },
    ],
    ['by its sum', { promptTokenCount: 9, totalTokenCount: 14 }, { inputTokens: 9, outputTokens: 5 }],
    ['of nonsense', { promptTokenCount: -1, candidatesTokenCount: 1.5, totalTokenCount: 3 }, {}],
  ] as const) {
    it(what, () => {
      assert.deepEqual(readUsage(usageMetadata), { ...NONE, ...expected })
    })
  }

  it('is unknown where it is not told', () => {
    for (const nothing of [undefined, null, [], {}, 7, { serviceTier: 'flex' }]) assert.equal(readUsage(nothing), null)
  })
})
