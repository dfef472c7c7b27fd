import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { Part } from '../../canonical/content.ts'
import {
  SONNET_4,
  SONNET_4_5,
  OPUS_4_7,
  NOVA,
  NOVA_2,
  LLAMA,
  HELLO,
  encoded,
  bodyOf,
  said,
  text,
  tool,
  call,
  result,
  type Asked,
} from './asked.fixture.ts'

describe('thinking', () => {
  const NO = { effort: null, budget: null, enabled: null, shown: null }
  const medium = { ...NO, effort: 'medium' } as const
  const thought = (reasoning: Asked['reasoning'], model: string, more: Asked = {}) => {
    const { body, dropped } = encoded({ ...more, reasoning: reasoning! }, model)
    return [body['additionalModelRequestFields'], body['outputConfig']?.effort, dropped]
  }

  it('is told each family in its own words', () => {
    const budget = (tokens: number) => ({ thinking: { type: 'enabled', budget_tokens: tokens } })
    const off = { ...NO, enabled: false }
    for (const [reasoning, model, fields, effort] of [
      [medium, SONNET_4, budget(8_192), undefined],
      [{ ...NO, budget: 3_000, enabled: true }, SONNET_4, budget(3_000), undefined],
      [{ ...NO, budget: 10 }, SONNET_4, budget(1_024), undefined],
      [off, SONNET_4, undefined, undefined],
      [{ ...medium, shown: true }, OPUS_4_7, { thinking: { type: 'adaptive', display: 'summarized' } }, 'medium'],
      [{ ...NO, effort: 'minimal' }, OPUS_4_7, { thinking: { type: 'adaptive' } }, 'low'],
      [{ ...NO, budget: 60_000 }, OPUS_4_7, { thinking: { type: 'adaptive' } }, 'max'],
      [{ ...NO, effort: 'xhigh' }, 'anthropic.claude-opus-4-6-v1', { thinking: { type: 'adaptive' } }, 'high'],
      [{ ...NO, enabled: true }, OPUS_4_7, { thinking: { type: 'adaptive' } }, undefined],
      [medium, NOVA_2, { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'medium' } }, undefined],
      [off, NOVA_2, { reasoningConfig: { type: 'disabled' } }, undefined],
      [medium, 'openai.gpt-oss-20b-1:0', { reasoning_effort: 'medium' }, undefined],
      [{ ...NO, effort: 'minimal' }, 'openai.gpt-5.6-luna', { reasoning: { effort: 'low' } }, undefined],
      [off, 'openai.gpt-5.6-luna', { reasoning: { effort: 'none' } }, undefined],
      [off, LLAMA, undefined, undefined],
      // Only to be shown what is thought anyway.
      [{ ...NO, shown: true }, SONNET_4, undefined, undefined],
      [{ ...NO, shown: true }, OPUS_4_7, undefined, undefined],
      [{ ...NO, shown: true }, NOVA_2, undefined, undefined],
    ] as const) {
      assert.deepEqual(thought(reasoning, model), [fields, effort, []], `${model} ${JSON.stringify(reasoning)}`)
    }
  })

  it('is dropped where the model does not think, or cannot now', () => {
    const none = [undefined, undefined, ['reasoning_effort']]
    const named = { reasoning: 'reasoning_effort' }
    assert.deepEqual(thought(medium, LLAMA, { named }), none)
    assert.deepEqual(thought(medium, 'anthropic.claude-3-haiku-20240307-v1:0', { named }), none)
    assert.deepEqual(thought(medium, SONNET_4, { named, params: { maxTokens: 500 } }), none)
    const forced = { tools: [tool('f')], toolChoice: { type: 'required' } } as const
    assert.deepEqual(thought(medium, SONNET_4, { named, ...forced }), none)
    const calling = call('a', 'f')
    const after = (...content: Part[]): Asked => ({
      named,
      tools: [tool('f')],
      messages: [HELLO, said('assistant', ...content), said('user', result('a', text('x')))],
    })
    assert.deepEqual(thought(medium, SONNET_4, after(calling)), none)
    const signed = { type: 'reasoning', text: 'hm', signature: { origin: 'converse', value: 's' } } as const
    assert.deepEqual(thought(medium, SONNET_4, after(signed, calling))[2], [])
    assert.deepEqual(thought(medium, 'anthropic.claude-opus-4-6-v1', after(calling))[2], [])
  })

  it('goes on in a turn of several calls by what it begins with', () => {
    const by = (origin: 'converse' | 'gemini') =>
      ({ type: 'reasoning', text: 'hm', signature: { origin, value: 's' } }) as const
    const turn = (...answers: Part[][]): Asked => ({
      reasoning: medium,
      tools: [tool('f')],
      messages: [
        HELLO,
        ...answers.flatMap((content) => [
          said('assistant', ...content, call('a', 'f')),
          said('user', result('a', text('x'))),
          said('developer', text('y')),
        ]),
      ],
    })
    const own = encoded(turn([by('converse')], []))
    assert.equal(own.body['additionalModelRequestFields'].thinking.type, 'enabled')
    const { body, dropped } = encoded(turn([by('gemini')], [by('converse')]))
    assert.deepEqual([body['additionalModelRequestFields'], dropped], [undefined, ['reasoning']])
    assert.ok(!JSON.stringify(body['messages']).includes('reasoningContent'))
  })

  it('leaves less to be told otherwise', () => {
    const params = { temperature: 0.5, topP: 0.9, topK: 5, maxTokens: 4_000 }
    const { body, dropped } = encoded({ reasoning: medium, params })
    assert.deepEqual(dropped, ['temperature', 'topP', 'topK'])
    assert.deepEqual(body['inferenceConfig'], { maxTokens: 4_000 })
    assert.equal(body['additionalModelRequestFields'].thinking.budget_tokens, 3_000)
    const most = encoded({ reasoning: { ...NO, effort: 'max' }, params }, NOVA_2)
    assert.equal(most.body['inferenceConfig'], undefined)
    assert.deepEqual(most.dropped, ['maxTokens', 'temperature', 'topP', 'topK'])
  })
})

describe('parameters', () => {
  it('says what Converse has, and what a family has besides', () => {
    const params = { maxTokens: 10, temperature: 1.5, stop: ['END', ' '], topK: 7, serviceTier: 'flex' }
    const { body, dropped } = encoded({ params, named: { stop: 'stop_sequences' } })
    assert.deepEqual(body['inferenceConfig'], { maxTokens: 10, temperature: 1, stopSequences: ['END'] })
    assert.deepEqual(body['additionalModelRequestFields'], { top_k: 7 })
    assert.deepEqual(body['additionalModelResponseFieldPaths'], ['/stop_sequence', '/delta/stop_sequence'])
    assert.deepEqual(body['serviceTier'], { type: 'flex' })
    assert.deepEqual(dropped, ['stop_sequences'])
    assert.deepEqual(bodyOf({ params }, NOVA)['additionalModelRequestFields'], { inferenceConfig: { topK: 7 } })
    const penal = { seed: 1, frequencyPenalty: 0.5, presencePenalty: 0.5, topK: 3 }
    assert.deepEqual(bodyOf({ params: penal }, 'cohere.command-r-plus-v1:0')['additionalModelRequestFields'], {
      k: 3,
      seed: 1,
      frequency_penalty: 0.5,
      presence_penalty: 0.5,
    })
  })

  it('leaves out what newer Claude models refuse', () => {
    const both = encoded({ params: { temperature: 0.3, topP: 0.9 } }, SONNET_4_5)
    assert.deepEqual([both.body['inferenceConfig'], both.dropped], [{ temperature: 0.3 }, ['topP']])
    const none = encoded({ params: { temperature: 1, topP: 0.9, topK: 3, maxTokens: 5 } }, OPUS_4_7)
    assert.deepEqual([none.body['inferenceConfig'], none.dropped], [{ maxTokens: 5 }, ['topP', 'topK']])
  })

  it('tells what is dropped in the words of the client, each once', () => {
    const { dropped } = encoded({
      params: {
        choices: 2,
        seed: 1,
        frequencyPenalty: 1,
        presencePenalty: 1,
        logitBias: { 5: 1 },
        logprobs: true,
        topLogprobs: 2,
        user: 'u',
        metadata: { a: 1 },
        serviceTier: 'scale',
        verbosity: 'low',
        modalities: ['text', 'audio'],
        audio: {},
        promptCacheKey: 'k',
      },
      tools: [tool('f')],
      parallelToolCalls: false,
      named: { choices: 'n', parallelToolCalls: 'parallel_tool_calls', user: 'safety_identifier' },
      unknown: ['store_it', 'store_it'],
    })
    assert.deepEqual([...dropped].sort(), [
      'audio',
      'frequencyPenalty',
      'logitBias',
      'logprobs',
      'metadata',
      'modalities',
      'n',
      'parallel_tool_calls',
      'presencePenalty',
      'promptCacheKey',
      'safety_identifier',
      'seed',
      'serviceTier',
      'store_it',
      'topLogprobs',
      'verbosity',
    ])
  })

  it('drops nothing that happens anyway', () => {
    const { dropped } = encoded({
      params: {
        choices: 1,
        frequencyPenalty: 0,
        presencePenalty: 0,
        logitBias: {},
        logprobs: false,
        serviceTier: 'auto',
        verbosity: 'medium',
        modalities: ['text'],
      },
      parallelToolCalls: true,
    })
    assert.deepEqual(dropped, [])
  })

  it('passes metadata that Bedrock takes', () => {
    const { body, dropped } = encoded({ params: { metadata: { team: 'a b@c', cost: '' } } })
    assert.deepEqual([body['requestMetadata'], dropped], [{ team: 'a b@c', cost: '' }, []])
  })
})
