import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { Reasoning } from '../../canonical/request.ts'
import { encode, request, tool } from './written.fixture.ts'

describe('parameters', () => {
  it('are told by their names', () => {
    const { json, dropped } = encode(
      request(
        {},
        {
          maxTokens: 5,
          temperature: 0,
          topP: 0.5,
          topK: 3,
          stop: ['x'],
          seed: -5,
          choices: 2,
          presencePenalty: 0.5,
          frequencyPenalty: 0,
          logprobs: true,
          topLogprobs: 3,
          serviceTier: 'flex',
        },
      ),
    )
    assert.deepEqual(json['generationConfig'], {
      maxOutputTokens: 5,
      temperature: 0,
      topP: 0.5,
      topK: 3,
      stopSequences: ['x'],
      candidateCount: 2,
      seed: 5,
      presencePenalty: 0.5,
      responseLogprobs: true,
      logprobs: 3,
    })
    assert.equal(json['serviceTier'], 'flex')
    assert.deepEqual(dropped, [])
  })

  it('that are the default anyway are neither sent nor dropped', () => {
    const params = {
      choices: 1,
      stop: [],
      logprobs: false,
      serviceTier: 'auto',
      verbosity: 'medium',
      modalities: ['text'],
    }
    const { json, dropped } = encode(request({ parallelToolCalls: true, tools: [tool('f')] }, params))
    assert.deepEqual([json['generationConfig'], json['serviceTier'], dropped], [undefined, undefined, []])
  })

  it("that it does not know are told in the client's words, once each", () => {
    const params = { user: 'u', logitBias: { '1': 1 }, metadata: {}, promptCacheKey: 'k', serviceTier: 'scale' }
    const asked = request({ unknown: ['a', 'a', 'user'], parallelToolCalls: false, tools: [tool('f')] }, params)
    assert.deepEqual(encode(asked).dropped, [
      'a',
      'user',
      'parallelToolCalls',
      'logit_bias',
      'metadata',
      'promptCacheKey',
      'serviceTier',
    ])
  })

  it('asks for speech', () => {
    const { json } = encode(request({}, { modalities: ['text', 'audio'], audio: { voice: 'Kore', format: 'pcm16' } }))
    assert.deepEqual(json['generationConfig'], {
      responseModalities: ['AUDIO'],
      speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } },
    })
  })
})

describe('thinking', () => {
  const none: Reasoning = { effort: null, budget: null, enabled: null, shown: null }
  for (const [model, reasoning, expected] of [
    ['gemini-3-flash-preview', { effort: 'none' }, { thinkingLevel: 'minimal' }],
    ['gemini-3.1-flash-lite', { effort: 'minimal' }, { thinkingLevel: 'minimal', includeThoughts: true }],
    ['gemini-3.5-flash', { effort: 'none' }, { thinkingLevel: 'minimal' }],
    ['gemini-3.7-flash', { effort: 'none' }, { thinkingLevel: 'low' }],
    ['gemini-flash-latest', { effort: 'minimal' }, { thinkingLevel: 'low', includeThoughts: true }],
    ['gemini-3-flash-preview', { effort: 'medium' }, { thinkingLevel: 'medium', includeThoughts: true }],
    ['gemini-3-flash-preview', { budget: 20_000 }, { thinkingLevel: 'high', includeThoughts: true }],
    ['gemini-3-flash-preview', { enabled: true }, { includeThoughts: true }],
    ['gemini-3-flash-preview', { effort: 'high', shown: false }, { thinkingLevel: 'high' }],
    ['gemini-3-pro-preview', { effort: 'minimal' }, { thinkingLevel: 'low', includeThoughts: true }],
    ['gemini-3-pro-preview', { effort: 'medium' }, { thinkingLevel: 'high', includeThoughts: true }],
    ['gemini-3.1-pro-preview', { effort: 'medium' }, { thinkingLevel: 'medium', includeThoughts: true }],
    ['gemini-3.1-pro-preview', { effort: 'max' }, { thinkingLevel: 'high', includeThoughts: true }],
    ['gemini-2.5-flash', { effort: 'none' }, { thinkingBudget: 0 }],
    ['gemini-2.5-flash', { effort: 'max' }, { thinkingBudget: 24_576, includeThoughts: true }],
    ['gemini-2.5-flash', { enabled: true }, { thinkingBudget: -1, includeThoughts: true }],
    ['gemini-2.5-flash-lite', { budget: 100 }, { thinkingBudget: 512, includeThoughts: true }],
    ['gemini-2.5-pro', { enabled: false }, { thinkingBudget: 128 }],
    ['gemini-2.5-pro', { budget: 5_000 }, { thinkingBudget: 5_000, includeThoughts: true }],
    ['gemini-2.5-pro', { shown: true }, { includeThoughts: true }],
    ['gemini-2.0-flash', { effort: 'none' }, undefined],
    ['gemini-3-pro-image-preview', { enabled: false }, undefined],
  ] as [string, Partial<Reasoning>, unknown][]) {
    it(`of ${model} is ${JSON.stringify(expected)} for ${JSON.stringify(reasoning)}`, () => {
      const { json, dropped } = encode(request({ reasoning: { ...none, ...reasoning } }), model)
      assert.deepEqual(json['generationConfig']?.thinkingConfig, expected)
      assert.deepEqual(dropped, [])
    })
  }

  it("is dropped where a model can't", () => {
    for (const model of ['gemini-2.0-flash', 'gemini-2.5-flash-image', 'gemini-3-pro-image', 'gemini-3.1-flash-tts']) {
      const { json, dropped } = encode(request({ reasoning: { ...none, effort: 'low' } }), model)
      assert.deepEqual([json['generationConfig'], dropped], [undefined, ['reasoning_effort']], model)
    }
  })
})
