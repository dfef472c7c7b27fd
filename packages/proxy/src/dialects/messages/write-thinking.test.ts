import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { Origin, Part } from '../../canonical/content.ts'
import type { ChatRequest } from '../../canonical/request.ts'
import { call, F, OPUS, params, result, SONNET, thinking, USER, write } from './written.fixture.ts'

describe('thinking that is asked of the Messages API', () => {
  test('is told by a budget below the limit, or by effort, as the model knows', () => {
    const effort = thinking({ effort: 'high' })
    assert.deepEqual(write(effort).body.thinking, { type: 'enabled', budget_tokens: 16_384 })
    const limited = write({ ...effort, ...params({ maxTokens: 2_000 }) }).body
    assert.deepEqual([limited.max_tokens, limited.thinking], [2_000, { type: 'enabled', budget_tokens: 1_500 }])
    const small = write({ ...effort, ...params({ maxTokens: 1_000 }) })
    assert.deepEqual([small.body.thinking, small.dropped], [undefined, ['reasoning_effort']])
    const adaptive = write(effort, OPUS).body
    assert.deepEqual(adaptive.thinking, { type: 'adaptive', display: 'summarized' })
    assert.deepEqual(adaptive.output_config, { effort: 'high' })
    assert.equal(write(thinking({ effort: 'xhigh' }), 'claude-opus-4-6').body.output_config.effort, 'high')
    const none = write(effort, 'claude-3-5-haiku-20241022')
    assert.deepEqual([none.body.thinking, none.dropped], [undefined, ['reasoning_effort']])
    assert.equal(write(thinking({ effort: 'none' })).body.thinking, undefined)
    assert.deepEqual(write(thinking({ effort: 'none' }), 'claude-sonnet-5').body.thinking, { type: 'disabled' })
    const always = write(thinking({ effort: 'none' }), 'claude-opus-5-5')
    assert.deepEqual([always.body.thinking, always.dropped], [undefined, ['reasoning_effort']])
  })

  const thought = (origin: Origin): Part => ({ type: 'reasoning', text: 'Hm.', signature: { origin, value: 'abc' } })

  /** A conversation whose last turn has these answers, each with a call and its result. */
  const turn = (...answers: Part[][]): Partial<ChatRequest> => ({
    ...thinking({ effort: 'high' }),
    tools: [F],
    messages: [
      USER,
      ...answers.flatMap((content, i) => [
        { role: 'assistant' as const, content: [...content, call(`${i}`)] },
        { role: 'user' as const, content: [result(`${i}`)] },
      ]),
    ],
  })
  const typesOf = ({ content }: { content: { type: string }[] }) => content.map(({ type }) => type)

  test('does not begin within a turn whose thoughts are not there', () => {
    const unsigned: Part = { type: 'reasoning', text: 'Hm.', signature: null }
    const without = write(turn([unsigned]))
    assert.deepEqual([without.body.thinking, without.dropped], [undefined, ['reasoning_effort']])
    assert.deepEqual(typesOf(without.body.messages[1]), ['tool_use'])
    const { body } = write(turn([thought('messages')]))
    assert.equal(body.thinking.type, 'enabled')
    assert.deepEqual(body.messages[1].content[0], { type: 'thinking', thinking: 'Hm.', signature: 'abc' })
    assert.equal(write(turn([unsigned]), OPUS).body.thinking.type, 'adaptive')
    const sampled = write({ ...turn([unsigned]), ...params({ temperature: 0.5 }) })
    assert.deepEqual([sampled.body.temperature, sampled.dropped], [0.5, ['reasoning_effort']])
  })

  test('goes on in a turn of several calls by what it begins with', () => {
    const own = write(turn([thought('messages')], []))
    assert.deepEqual([own.body.thinking.type, own.dropped], ['enabled', []])
    const { body, dropped } = write(turn([thought('gemini')], [thought('messages')]))
    assert.deepEqual([body.thinking, dropped], [undefined, ['reasoning_effort']])
    assert.deepEqual(
      [1, 3].map((i) => typesOf(body.messages[i])),
      [['tool_use'], ['tool_use']],
    )
    // Where it is not by a budget, a turn begins as it likes, and keeps its later thoughts.
    const adaptive = write(turn([thought('gemini')], [thought('messages')]), OPUS)
    assert.deepEqual([adaptive.body.thinking.type, adaptive.dropped], ['adaptive', []])
    assert.deepEqual(typesOf(adaptive.body.messages[3]), ['thinking', 'tool_use'])
    const kept = write({ ...turn([thought('messages')]), ...thinking({ effort: 'none' }) }, 'claude-opus-5-5')
    assert.deepEqual([typesOf(kept.body.messages[1]), kept.dropped], [['thinking', 'tool_use'], ['reasoning_effort']])
  })

  test('gives way to a tool that must be called only where it is by a budget', () => {
    const forced = (model: string) => {
      const asked = { tools: [F], toolChoice: { type: 'required' }, ...thinking({ effort: 'low' }) } as const
      const { body, dropped } = write(asked, model)
      return [body.thinking?.type, body.output_config?.effort, body.tool_choice?.type, dropped]
    }
    assert.deepEqual(forced(SONNET), [undefined, undefined, 'any', ['reasoning_effort']])
    assert.deepEqual(forced('claude-opus-4-6'), ['adaptive', 'low', 'any', []])
    assert.deepEqual(forced('claude-sonnet-5'), ['adaptive', 'low', 'any', []])
    // Those that cannot be made to call one.
    for (const model of ['claude-opus-5-5', 'claude-sonnet-5-5', 'claude-fable-5-1']) {
      assert.deepEqual(forced(model), ['adaptive', 'low', undefined, ['toolChoice']], model)
    }
    assert.equal(forced('claude-haiku-5-5')[2], 'any')
  })

  test('leaves no temperature, nor do models that refuse it', () => {
    const some = params({ temperature: 0.5, topK: 4, topP: 0.5 })
    const plain = write(some)
    assert.deepEqual([plain.body.temperature, plain.body.top_k, plain.dropped], [0.5, 4, ['top_p']])
    assert.deepEqual(write({ ...some, ...thinking({ effort: 'low' }) }).dropped, ['temperature', 'top_p', 'topK'])
    const modern = write(some, OPUS)
    assert.deepEqual(
      [modern.body.temperature, modern.body.top_p, modern.body.top_k, modern.dropped],
      [undefined, undefined, undefined, ['temperature', 'top_p', 'topK']],
    )
    assert.equal(write(params({ temperature: 1.7 })).body.temperature, 1)
    assert.deepEqual(write(params({ temperature: 1 }), OPUS).dropped, [])
  })
})
