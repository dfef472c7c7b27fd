import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { GatewayError } from '@millrace/shared'

import { readChatRequest } from './request-read.ts'

const read = (messages: unknown[], more: object = {}) => readChatRequest({ model: 'm', messages, ...more })
const user = (content: unknown): unknown => ({ role: 'user', content })
const call = (id: string, name = 'f', args: unknown = '{}'): unknown => ({
  role: 'assistant',
  content: null,
  tool_calls: [{ id, type: 'function', function: { name, arguments: args } }],
})

describe('refusals', () => {
  const tools = [{ type: 'function', function: { name: 'f' } }]
  for (const [name, messages, more, param] of [
    ['a role that is none', [{ role: 'boss', content: 'a' }], {}, 'messages[0].role'],
    ['a message that is none', ['a'], {}, 'messages[0]'],
    [
      'a result without a call',
      [user('a'), { role: 'tool', tool_call_id: 'x', content: 'r' }],
      {},
      'messages[1].tool_call_id',
    ],
    [
      'a result before its call',
      [{ role: 'tool', tool_call_id: '1', content: 'r' }, call('1')],
      {},
      'messages[0].tool_call_id',
    ],
    ['a call without a name', [user('a'), call('1', '')], {}, 'messages[1].tool_calls[0].function.name'],
    ['a call without an id', [user('a'), call('')], {}, 'messages[1].tool_calls[0].id'],
    ['arguments that are a number', [user('a'), call('1', 'f', 5)], {}, 'messages[1].tool_calls[0].function.arguments'],
    ['content that is a number', [user(5)], {}, 'messages[0].content'],
    ['a part of no known type', [user([{ type: 'video' }])], {}, 'messages[0].content[0].type'],
    [
      'an image that is text',
      [user([{ type: 'image_url', image_url: { url: 'data:text/plain;base64,YQ==' } }])],
      {},
      'messages[0].content[0].image_url.url',
    ],
    [
      'an image that is no base64',
      [user([{ type: 'image_url', image_url: { url: 'data:image/png;base64,&&' } }])],
      {},
      'messages[0].content[0].image_url.url',
    ],
    [
      'an image that is no URL',
      [user([{ type: 'image_url', image_url: { url: 'cat.png' } }])],
      {},
      'messages[0].content[0].image_url.url',
    ],
    [
      'a recording that is no base64',
      [user([{ type: 'input_audio', input_audio: { data: '%', format: 'wav' } }])],
      {},
      'messages[0].content[0].input_audio.data',
    ],
    [
      'a schema that is no object',
      [user('a')],
      { tools: [{ type: 'function', function: { name: 'f', parameters: [] } }] },
      'tools[0].function.parameters',
    ],
    ['a tool that nobody knows', [user('a')], { tools: [{ type: 'web_search' }] }, 'tools[0].type'],
    [
      'a choice of a tool that is not there',
      [user('a')],
      { tools, tool_choice: { type: 'function', function: { name: 'g' } } },
      'tool_choice',
    ],
    ['a temperature that is text', [user('a')], { temperature: '1' }, 'temperature'],
    ['an effort that is none', [user('a')], { reasoning_effort: 'huge' }, 'reasoning_effort'],
    ['a format that is none', [user('a')], { response_format: { type: 'xml' } }, 'response_format.type'],
  ] as const) {
    it(`are for ${name}`, () => {
      assert.throws(
        () => read([...messages], more),
        (error) => error instanceof GatewayError && error.code === 'param_not_allowed' && error.param === param,
      )
    })
  }

  for (const [name, message, param] of [
    [
      'a file that was uploaded',
      user([{ type: 'file', file: { file_id: 'file-1' } }]),
      'messages[0].content[0].file.file_id',
    ],
    ['a recording of before', { role: 'assistant', audio: { id: 'audio_1' } }, 'messages[0].audio'],
  ] as const) {
    it(`are for ${name}, which no other API can say`, () => {
      assert.throws(
        () => read([message]),
        (error) => error instanceof GatewayError && error.code === 'unsupported_endpoint' && error.param === param,
      )
    })
  }

  it('are for no lone surrogate', () => {
    assert.equal((read([user('\ud800')]).messages[0]!.content[0] as { text: string }).text, '\ud800')
  })
})
