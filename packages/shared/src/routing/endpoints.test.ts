import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { bodyFacts, servesEndpoint } from './endpoints.ts'

describe('servesEndpoint', () => {
  it('leaves out what has no embeddings', () => {
    const serves = (kind: string, settings = {}): boolean => servesEndpoint({ kind, settings }, '/v1/embeddings')
    for (const kind of ['OPENAI', 'AZURE_OPENAI', 'GEMINI', 'BEDROCK', 'SIMULATED', 'OPENAI_COMPATIBLE'])
      assert.ok(serves(kind), kind)
    assert.ok(!serves('ANTHROPIC'))
    assert.ok(!serves('OPENAI_COMPATIBLE', { preset: 'groq' }))
    assert.ok(serves('OPENAI_COMPATIBLE', { preset: 'mistral' }))
    assert.ok(serves('OPENAI_COMPATIBLE', { preset: 'groq', endpoints: ['/v1/embeddings'] }))
  })

  it('knows no others than those that are routed', () => {
    const openai = { kind: 'OPENAI', settings: {} }
    for (const endpoint of ['/v1/responses', '/v1/messages/count_tokens']) assert.ok(servesEndpoint(openai, endpoint))
    for (const endpoint of ['/v1/audio/speech', '/v1/models', '', '/v1/chat'])
      assert.ok(!servesEndpoint(openai, endpoint), endpoint)
  })
})

describe('bodyFacts', () => {
  const nothing = { maxTokens: null, tools: false, images: false, stream: false, user: null, conversation: null }
  const image = (type: string): object => ({ role: 'user', content: [{ type }] })

  it("reads each API's own words", () => {
    assert.deepEqual(
      bodyFacts('/v1/chat/completions', {
        max_tokens: 1,
        max_completion_tokens: 2,
        tools: [{}],
        messages: [image('image_url')],
        stream: true,
        safety_identifier: 'u',
        prompt_cache_key: 'c',
      }),
      { maxTokens: 2, tools: true, images: true, stream: true, user: 'u', conversation: 'c' },
    )
    assert.deepEqual(
      bodyFacts('/v1/responses', {
        max_output_tokens: 3,
        tools: [{}],
        input: [image('input_image')],
        user: 'u',
        conversation: { id: 'conv_1' },
      }),
      { maxTokens: 3, tools: true, images: true, stream: false, user: 'u', conversation: 'conv_1' },
    )
    assert.deepEqual(
      bodyFacts('/v1/messages', {
        max_tokens: 4,
        tools: [{}],
        messages: [{ content: [{ type: 'tool_result', content: [{ type: 'image' }] }] }],
        stream: true,
        metadata: { user_id: 'user_a_session_b-1' },
      }),
      { maxTokens: 4, tools: true, images: true, stream: true, user: 'user_a_session_b-1', conversation: 'b-1' },
    )
    assert.deepEqual(bodyFacts('/v1/embeddings', { user: 'u', stream: true, prompt_cache_key: 'c' }), {
      ...nothing,
      user: 'u',
    })
    assert.ok(!bodyFacts('/v1/messages/count_tokens', { stream: true }).stream)
  })

  it("takes none of another's", () => {
    const body = { max_output_tokens: 3, input: [image('input_image')], metadata: { user_id: 'u' } }
    assert.deepEqual(bodyFacts('/v1/chat/completions', body), nothing)
    assert.deepEqual(bodyFacts('/v1/responses', { messages: [image('image_url')], max_tokens: 1 }), nothing)
  })

  it('counts what is not as it should be as absent', () => {
    const odd = {
      stream: 'yes',
      max_tokens: '1',
      tools: {},
      messages: [null, 7, { content: 'x' }],
      user: 7,
      input: 'x',
    }
    for (const endpoint of ['/v1/chat/completions', '/v1/responses', '/v1/messages', '/v1/embeddings'])
      assert.deepEqual(bodyFacts(endpoint, { ...odd, metadata: 7, conversation: 7 }), nothing, endpoint)
  })

  it('reads no deeper than messages go', () => {
    const levels = 100_000
    const content: unknown = JSON.parse(`${'[{"content":'.repeat(levels)}[]${'}]'.repeat(levels)}`)
    for (const endpoint of ['/v1/chat/completions', '/v1/responses', '/v1/messages'])
      assert.equal(bodyFacts(endpoint, { messages: content, input: content }).images, false, endpoint)
  })
})
