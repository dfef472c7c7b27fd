import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { GatewayError } from '@millrace/shared'

import { parseExact } from '../../canonical/exact-json.ts'
import { readMessagesRequest } from './request-read.ts'

const USER = { role: 'user', content: 'Hello.' }

function read(body: object) {
  return readMessagesRequest({ model: 'claude', max_tokens: 100, messages: [USER], ...body })
}

function refused(body: object, code: string, param: string): void {
  assert.throws(
    () => read(body),
    (error) => {
      assert.ok(error instanceof GatewayError, String(error))
      assert.deepEqual([error.code, error.param], [code, param])
      return true
    },
  )
}

describe('a request of the Messages API', () => {
  test('has its system prompt from the member and from leading messages; others stay where they are', () => {
    const { system, messages } = read({
      system: [{ type: 'text', text: 'One.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      messages: [{ role: 'system', content: 'Two.' }, USER, { role: 'system', content: 'Three.' }, USER, USER],
    })
    assert.deepEqual(system, [
      { type: 'text', text: 'One.', cache: { ttl: '1h' } },
      { type: 'text', text: 'Two.' },
    ])
    assert.deepEqual(
      messages.map(({ role, content }) => [role, content.length]),
      [
        ['user', 1],
        ['system', 1],
        ['user', 2],
      ],
    )
  })

  test('has blocks of all kinds', () => {
    const png = 'iVBORw0KGgo='
    const { messages } = read({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
            { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
            {
              type: 'document',
              title: 'A.pdf',
              context: 'Of last year.',
              citations: { enabled: true },
              source: { type: 'base64', media_type: 'application/pdf', data: png },
            },
            {
              type: 'document',
              source: {
                type: 'content',
                content: [
                  { type: 'text', text: 'a' },
                  { type: 'text', text: 'b' },
                ],
              },
            },
            {
              type: 'search_result',
              source: 'https://a.example',
              title: 'A',
              content: [{ type: 'text', text: 'Found.' }],
            },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 'abc' },
            { type: 'redacted_thinking', data: 'xyz' },
            { type: 'thinking', thinking: 'By another.', signature: 'mr1.gemini.def' },
            { type: 'thinking', thinking: 'By whom?', signature: 'mr1.chat.' },
            { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: [1] } },
            { type: 'thinking', thinking: '', signature: 'mr1.gemini.call' },
            { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} },
          ],
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'toolu_1', is_error: true, content: 'No.' }],
        },
      ],
    })
    assert.deepEqual(messages[0]!.content, [
      { type: 'image', source: { from: 'data', mediaType: 'image/png', data: png } },
      { type: 'image', source: { from: 'url', url: 'https://example.com/a.png' } },
      { type: 'text', text: 'Of last year.' },
      {
        type: 'file',
        source: { from: 'data', mediaType: 'application/pdf', data: png },
        filename: 'A.pdf',
        citations: true,
      },
      { type: 'file', source: { from: 'text', text: 'a\nb' } },
      { type: 'file', source: { from: 'text', text: 'https://a.example\nFound.' }, filename: 'A' },
    ])
    assert.deepEqual(messages[1]!.content, [
      { type: 'reasoning', text: 'Hm.', signature: { origin: 'messages', value: 'abc' } },
      { type: 'reasoning', text: '', signature: { origin: 'messages', value: '' }, redacted: 'xyz' },
      { type: 'reasoning', text: 'By another.', signature: { origin: 'gemini', value: 'def' } },
      { type: 'reasoning', text: 'By whom?', signature: null },
      {
        type: 'tool_call',
        id: 'toolu_1',
        name: 'f',
        arguments: '{"a":[1]}',
        signature: { origin: 'gemini', value: 'call' },
      },
      {
        type: 'own',
        own: {
          origin: 'messages',
          value: { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} },
        },
      },
    ])
    assert.deepEqual(messages[2]!.content, [
      { type: 'tool_result', id: 'toolu_1', name: 'f', content: [{ type: 'text', text: 'No.' }], isError: true },
    ])
  })

  test('keeps the spelling of numbers in arguments and schemas', () => {
    const input = '{"n":12345678901234567890,"m":1.0}'
    const schema = `{"type":"object","properties":{"n":{"maximum":1e400}}}`
    const call = `{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":${input}}]}`
    const body = `{"model":"m","max_tokens":1e2,"temperature":0.50,"messages":[${call}],"tools":[{"name":"f","input_schema":${schema}}]}`
    const request = readMessagesRequest(parseExact(body) as Record<string, unknown>)
    const [part] = request.messages[0]!.content
    assert.equal(part?.type === 'tool_call' && part.arguments, input)
    const [tool] = request.tools
    assert.equal(tool?.type === 'function' && JSON.stringify(tool.parameters), schema)
    assert.deepEqual([request.params.maxTokens, request.params.temperature], [100, 0.5])
  })

  test('says how much is to be thought, in each of its ways', () => {
    const told = (body: object) => read(body).reasoning
    assert.deepEqual(told({ thinking: { type: 'enabled', budget_tokens: 2048 } }), {
      effort: null,
      budget: 2048,
      enabled: true,
      shown: null,
    })
    assert.deepEqual(told({ thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'max' } }), {
      effort: 'max',
      budget: null,
      enabled: true,
      shown: false,
    })
    assert.equal(told({ thinking: { type: 'disabled' } })?.enabled, false)
    assert.equal(told({ output_config: { effort: 'low' } })?.effort, 'low')
    assert.equal(told({}), null)
  })

  test('says which tools are to be called, and in which form the answer is', () => {
    const tools = [
      { name: 'f', input_schema: { type: 'object' } },
      { type: 'web_search_20250305', name: 'web_search' },
    ]
    const request = read({
      tools,
      tool_choice: { type: 'tool', name: 'f', disable_parallel_tool_use: true },
      output_config: { format: { type: 'json_schema', schema: { type: 'object', title: 'My answer' } } },
    })
    assert.deepEqual(
      request.tools.map(({ type }) => type),
      ['function', 'own'],
    )
    assert.deepEqual([request.toolChoice, request.parallelToolCalls], [{ type: 'tool', name: 'f' }, false])
    assert.deepEqual(request.format, {
      type: 'schema',
      name: 'My_answer',
      description: null,
      schema: { type: 'object', title: 'My answer' },
      strict: null,
    })
    assert.deepEqual(read({ tools, tool_choice: { type: 'any' } }).toolChoice, { type: 'required' })
  })

  test('names what nobody reads, but not what is the same as nothing', () => {
    assert.deepEqual(read({ context_management: {}, speed: 'standard', diagnostics: null, stream: true }).unknown, [
      'context_management',
    ])
  })

  test('is refused where it makes no sense, or where only Anthropic could do it', () => {
    const block = (part: object, role = 'user') => ({ messages: [{ role, content: [part] }] })
    refused({ messages: [{ role: 'tool', content: 'x' }] }, 'param_not_allowed', 'messages[0].role')
    refused({ messages: ['x'] }, 'param_not_allowed', 'messages[0]')
    refused({ messages: [{ role: 'user', content: 1 }] }, 'param_not_allowed', 'messages[0].content')
    refused(block({ type: 'text' }), 'param_not_allowed', 'messages[0].content[0].text')
    refused(
      block({ type: 'tool_use', id: 'a', name: 'b', input: {} }),
      'param_not_allowed',
      'messages[0].content[0].type',
    )
    refused(
      block({ type: 'tool_use', id: 'a', name: 'b', input: 'x' }, 'assistant'),
      'param_not_allowed',
      'messages[0].content[0].input',
    )
    refused(block({ type: 'tool_result', tool_use_id: 'a' }), 'param_not_allowed', 'messages[0].content[0].tool_use_id')
    refused(
      block({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'not base64!' } }),
      'param_not_allowed',
      'messages[0].content[0].source.data',
    )
    refused(
      block({ type: 'image', source: { type: 'base64', media_type: 'text/html', data: 'aaaa' } }),
      'param_not_allowed',
      'messages[0].content[0].source.media_type',
    )
    refused({ tools: [{ name: 'f', input_schema: 'x' }] }, 'param_not_allowed', 'tools[0].input_schema')
    refused(
      { tools: [{ name: 'f', input_schema: { type: 'array' } }] },
      'param_not_allowed',
      'tools[0].input_schema.type',
    )
    refused({ tool_choice: { type: 'tool', name: 'f' } }, 'param_not_allowed', 'tool_choice.name')
    refused({ temperature: 'hot' }, 'param_not_allowed', 'temperature')
    refused({ max_tokens: -1 }, 'param_not_allowed', 'max_tokens')
    refused({ thinking: { type: 'enabled' } }, 'param_not_allowed', 'thinking.budget_tokens')
    refused(
      block({ type: 'image', source: { type: 'file', file_id: 'f' } }),
      'unsupported_endpoint',
      'messages[0].content[0].source',
    )
    refused({ container: 'c' }, 'unsupported_endpoint', 'container')
    refused({ mcp_servers: [] }, 'unsupported_endpoint', 'mcp_servers')
  })
})
