import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { readChatRequest } from './request-read.ts'

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const read = (messages: unknown[], more: object = {}) => readChatRequest({ model: 'm', messages, ...more })
const user = (content: unknown): unknown => ({ role: 'user', content })
const call = (id: string, name = 'f', args: unknown = '{}'): unknown => ({
  role: 'assistant',
  content: null,
  tool_calls: [{ id, type: 'function', function: { name, arguments: args } }],
})

describe('a conversation', () => {
  it('has what stands before it for its system, and keeps what stands in the middle where it is', () => {
    const { system, messages } = read([
      { role: 'system', content: 'a' },
      { role: 'developer', content: [{ type: 'text', text: 'b' }] },
      user('c'),
      { role: 'developer', content: 'd' },
      user('e'),
    ])
    assert.deepEqual(
      system.map(({ text }) => text),
      ['a', 'b'],
    )
    assert.deepEqual(
      messages.map(({ role }) => role),
      ['user', 'developer', 'user'],
    )
  })

  it('has the results of tools, and what the user says after them, in one message', () => {
    const { messages } = read([
      user('a'),
      {
        role: 'assistant',
        content: 'b',
        tool_calls: [
          { id: '1', type: 'function', function: { name: 'f', arguments: '{"x":1.0}' } },
          { id: '2', type: 'custom', custom: { name: 'g', input: 'any' } },
        ],
      },
      { role: 'tool', tool_call_id: '1', content: 'r' },
      { role: 'tool', tool_call_id: '2', content: [{ type: 'text', text: 's' }] },
      user('c'),
    ])
    assert.deepEqual(messages, [
      { role: 'user', content: [{ type: 'text', text: 'a' }] },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'b' },
          { type: 'tool_call', id: '1', name: 'f', arguments: '{"x":1.0}' },
          { type: 'tool_call', id: '2', name: 'g', arguments: 'any', kind: 'custom' },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', id: '1', name: 'f', content: [{ type: 'text', text: 'r' }] },
          { type: 'tool_result', id: '2', name: 'g', content: [{ type: 'text', text: 's' }], kind: 'custom' },
          { type: 'text', text: 'c' },
        ],
      },
    ])
  })

  it('may be of the time before there were tools', () => {
    const { messages, tools, named } = read(
      [
        user('a'),
        { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } },
        { role: 'function', name: 'f', content: 'r' },
      ],
      { functions: [{ name: 'f' }], function_call: { name: 'f' } },
    )
    const [, { content }, { content: results }] = messages as [unknown, { content: any[] }, { content: any[] }]
    assert.equal(content[0].id, results[0].id)
    assert.deepEqual([tools[0]!.name, named.tools, named.toolChoice], ['f', 'functions', 'function_call'])
  })

  it('has images, recordings and files', () => {
    const [message] = read([
      user([
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}`, detail: 'low' } },
        { type: 'image_url', image_url: { url: 'https://x.example/a.png' } },
        { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
      ]),
    ]).messages
    assert.deepEqual(message!.content, [
      { type: 'image', source: { from: 'data', mediaType: 'image/png', data: PIXEL }, detail: 'low' },
      { type: 'image', source: { from: 'url', url: 'https://x.example/a.png' } },
      { type: 'audio', data: 'UklGRg==', format: 'wav' },
      {
        type: 'file',
        source: { from: 'data', mediaType: 'application/pdf', data: 'JVBERi0=' },
        filename: 'a.pdf',
      },
    ])
  })

  it('keeps what is marked for the cache', () => {
    const { messages } = read([
      user([{ type: 'text', text: 'a', cache_control: { type: 'ephemeral', ttl: '1h' } }]),
      { role: 'assistant', content: 'b', cache_control: { type: 'ephemeral' } },
    ])
    assert.deepEqual(
      messages.map(({ content: [part] }) => (part as { cache?: unknown }).cache),
      [{ ttl: '1h' }, { ttl: null }],
    )
  })
})

describe('thoughts that come back', () => {
  const thoughts = (message: object) =>
    read([user('a'), { role: 'assistant', content: 'b', ...message }]).messages[1]!.content.filter(
      ({ type }) => type === 'reasoning',
    )

  it('are read in each form that clients have', () => {
    assert.deepEqual(thoughts({ reasoning_content: 't' }), [{ type: 'reasoning', text: 't', signature: null }])
    assert.deepEqual(thoughts({ reasoning: 't' }), [{ type: 'reasoning', text: 't', signature: null }])
    assert.deepEqual(
      thoughts({
        thinking_blocks: [
          { type: 'thinking', thinking: 't', signature: 's' },
          { type: 'redacted_thinking', data: 'd' },
        ],
      }),
      [
        { type: 'reasoning', text: 't', signature: { origin: 'messages', value: 's' } },
        { type: 'reasoning', text: '', signature: { origin: 'messages', value: '' }, redacted: 'd' },
      ],
    )
  })

  it('are put together of the pieces of a stream', () => {
    const details = [
      { type: 'reasoning.text', text: 'a', index: 0 },
      { type: 'reasoning.text', text: 'b', index: 0 },
      { type: 'reasoning.text', signature: 'mr1.messages.sig', format: 'anthropic-claude-v1', index: 0 },
      { type: 'reasoning.text', text: 'c', index: 2 },
      { type: 'reasoning.encrypted', data: 'mr1.messages.red', index: 3 },
      { type: 'reasoning.summary', summary: 'd', index: 4 },
      { type: 'reasoning.encrypted', data: 'mr1.responses.enc', index: 4 },
    ]
    assert.deepEqual(thoughts({ reasoning_content: 'abcd', reasoning_details: details }), [
      { type: 'reasoning', text: 'ab', signature: { origin: 'messages', value: 'sig' } },
      { type: 'reasoning', text: 'c', signature: null },
      { type: 'reasoning', text: '', signature: { origin: 'messages', value: '' }, redacted: 'red' },
      { type: 'reasoning', text: 'd', signature: { origin: 'responses', value: 'enc' }, summary: true },
    ])
  })

  it('have the text that a client keeps beside their signature', () => {
    const details = [{ type: 'reasoning.text', signature: 'mr1.messages.sig', index: 0 }]
    assert.deepEqual(thoughts({ reasoning_content: 'ab', reasoning_details: details }), [
      { type: 'reasoning', text: 'ab', signature: { origin: 'messages', value: 'sig' } },
    ])
  })

  it('of Gemini stand with its calls', () => {
    const message = call('1') as { tool_calls: { extra_content?: object }[] }
    message.tool_calls[0]!.extra_content = { google: { thought_signature: 'sig' } }
    const [, { content }] = read([user('a'), message]).messages as [unknown, { content: readonly object[] }]
    assert.deepEqual((content[0] as { signature: object }).signature, { origin: 'gemini', value: 'sig' })
  })
})

describe('what else is asked for', () => {
  it('is known by canonical names, and by the client’s own', () => {
    const { params, named, unknown } = read([user('a')], {
      max_tokens: 9,
      max_completion_tokens: 7,
      stop: 'x',
      n: 2,
      safety_identifier: 'u',
      logit_bias: { 5: 1 },
      prediction: {},
      store: false,
      seed: null,
      web_search_options: {},
    })
    assert.deepEqual([params.maxTokens, params.stop, params.choices, params.user], [7, ['x'], 2, 'u'])
    assert.deepEqual([named.maxTokens, named.stop, named.choices], ['max_completion_tokens', 'stop', 'n'])
    assert.deepEqual(unknown, ['prediction', 'web_search_options'])
    assert.equal(named.seed, undefined)
    assert.deepEqual(read([user('a')], { store: true }).unknown, ['store'])
  })

  for (const [more, expected] of [
    [{ reasoning_effort: 'low' }, { effort: 'low', budget: null, enabled: null, shown: null }],
    [{ reasoning: { max_tokens: 9, exclude: true } }, { effort: null, budget: 9, enabled: null, shown: false }],
    [{ thinking: { type: 'enabled', budget_tokens: 5 } }, { effort: null, budget: 5, enabled: true, shown: null }],
    [{ enable_thinking: false }, { effort: null, budget: null, enabled: false, shown: null }],
    [{}, null],
  ] as const) {
    it(`thinks as ${JSON.stringify(more)} has it`, () => assert.deepEqual(read([user('a')], more).reasoning, expected))
  }

  it('may be some of the tools', () => {
    const tools = [
      { type: 'function', function: { name: 'f', parameters: { type: 'object' }, strict: true }, cache_control: {} },
      { type: 'custom', custom: { name: 'g', format: { type: 'text' } } },
    ]
    const choice = {
      type: 'allowed_tools',
      allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'f' } }] },
    }
    const request = read([user('a')], { tools, tool_choice: choice })
    assert.deepEqual(request.tools, [
      {
        type: 'function',
        name: 'f',
        description: null,
        parameters: { type: 'object' },
        strict: true,
        cache: { ttl: null },
      },
      { type: 'custom', name: 'g', description: null, format: { type: 'text' } },
    ])
    assert.deepEqual(request.toolChoice, { type: 'allowed', names: ['f'], required: true })
    assert.deepEqual(read([user('a')], { tools, tool_choice: 'any' }).toolChoice, { type: 'required' })
  })
})
