import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { ChatRequest } from '../../canonical/request.ts'
import { F, thinking, USER, write } from './written.fixture.ts'

describe('tools and formats that the Messages API is told', () => {
  const schema = { type: 'object', properties: { a: { type: 'string', minLength: 2 } }, required: ['a'] }
  const format = { type: 'schema' as const, name: 'f', description: null, schema, strict: null }

  test('asks for a schema natively where there is a way, else by a tool', () => {
    const native = write({ format })
    assert.equal(native.answerTool, null)
    assert.deepEqual(native.body.output_config.format.schema, {
      type: 'object',
      properties: { a: { type: 'string', description: '{"minLength":2}' } },
      required: ['a'],
      additionalProperties: false,
    })
    const forced = write({ format }, 'claude-sonnet-4-20250514')
    assert.equal(forced.answerTool, 'f')
    assert.deepEqual(forced.body.tool_choice, { type: 'tool', name: 'f' })
    assert.deepEqual(forced.body.tools[0].input_schema, schema)
    const beside = write({ format, tools: [F] }, 'claude-sonnet-4-20250514')
    assert.deepEqual([beside.answerTool, beside.body.tool_choice], ['f_', { type: 'any' }])
    const thought = write({ format, ...thinking({ effort: 'low' }) }, 'claude-sonnet-4-20250514')
    assert.deepEqual([thought.body.tool_choice, thought.body.thinking.type], [undefined, 'enabled'])
    assert.match(thought.body.system[0].text, /calling the tool "f"/)
    const map = { ...format, schema: { type: 'object', additionalProperties: { type: 'string' } } }
    assert.equal(write({ format: map }).answerTool, 'f')
    assert.equal(write({ format: { type: 'json' } }).answerTool, 'json_answer')
  })

  test('says which tools may be called', () => {
    const two = { tools: [F, { ...F, name: 'g' }] }
    const choice = (toolChoice: ChatRequest['toolChoice'], more: Partial<ChatRequest> = {}) =>
      write({ ...two, toolChoice, ...more }).body
    assert.equal(choice(null).tool_choice, undefined)
    assert.deepEqual(choice(null, { parallelToolCalls: false }).tool_choice, {
      type: 'auto',
      disable_parallel_tool_use: true,
    })
    assert.deepEqual(choice({ type: 'required' }).tool_choice, { type: 'any' })
    const allowed = choice({ type: 'allowed', names: ['g'], required: true })
    assert.deepEqual([allowed.tools.length, allowed.tools[0].name, allowed.tool_choice], [1, 'g', { type: 'any' }])
  })

  test('has tools that the provider runs itself, where it has any like them', () => {
    const own = (origin: 'messages' | 'responses', value: object) =>
      ({ type: 'own', name: 'x', own: { origin, value } }) as const
    const search = { type: 'web_search', filters: { allowed_domains: ['a.example'] } }
    const { body, dropped } = write({
      tools: [
        own('messages', { type: 'code_execution_20250825', name: 'code_execution' }),
        own('responses', search),
        own('responses', { type: 'file_search' }),
      ],
    })
    assert.deepEqual(body.tools, [
      { type: 'code_execution_20250825', name: 'code_execution' },
      { type: 'web_search_20250305', name: 'web_search', allowed_domains: ['a.example'] },
    ])
    assert.deepEqual(dropped, ['tools'])
  })

  test('turns custom tools into functions of one text', () => {
    const { body, memo } = write({
      tools: [{ type: 'custom', name: 'sh', description: 'Runs.', format: null }],
      messages: [
        USER,
        {
          role: 'assistant',
          content: [{ type: 'tool_call', id: 'a', name: 'sh', arguments: 'ls "x"', kind: 'custom' }],
        },
      ],
    })
    assert.deepEqual(body.tools[0].input_schema.required, ['input'])
    assert.deepEqual(body.messages[1].content[0].input, { input: 'ls "x"' })
    assert.deepEqual(memo, { custom: new Set(['sh']) })
  })
})
