import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { ChatRequest, Message } from '../../canonical/request.ts'
import type { JsonObject } from '../../canonical/values.ts'
import { readResponsesRequest } from './request-read.ts'
import { encodeResponses } from './request-write.ts'

const OPTIONS = { model: 'gpt-5', stream: false }

function encoded(request: ChatRequest, model = OPTIONS.model): { body: any; dropped: readonly string[] } {
  const { body, dropped } = encodeResponses(request, { ...OPTIONS, model })
  return { body: JSON.parse(body), dropped }
}

function read(body: JsonObject): ChatRequest {
  return readResponsesRequest({ model: 'alias', ...body })
}

function refusal(body: JsonObject): { code: string; param: string | null } {
  try {
    read(body)
  } catch (error) {
    const { code, param } = error as { code: string; param: string | null }
    return { code, param }
  }
  return assert.fail('it is not refused')
}

test('nothing is left at the provider, and its reasoning comes back readable to it', () => {
  const { body } = encoded(read({ input: 'hello' }))
  assert.equal(body.store, false)
  assert.deepEqual(body.include, ['reasoning.encrypted_content'])
  assert.equal(encoded(read({ input: 'hello' }), 'gpt-4.1-mini').body.include, undefined)
})

test('what the API has no word for is dropped, by the client’s names', () => {
  const asked = read({ input: 'hello', max_tool_calls: 3, truncation: 'auto', include: ['file_search_call.results'] })
  const params = { ...asked.params, stop: ['x'], seed: 1, choices: 2, verbosity: 'shouting', topK: 4 }
  const { body, dropped } = encoded({
    ...asked,
    params,
    named: { ...asked.named, stop: 'stop', choices: 'n', topK: 'top_k' },
  })
  assert.deepEqual([...dropped].sort(), [
    'include',
    'max_tool_calls',
    'n',
    'seed',
    'stop',
    'text.verbosity',
    'top_k',
    'truncation',
  ])
  assert.equal(body.stop, undefined)
  assert.equal(body.text, undefined)
})

test('what is the default anyway is not dropped', () => {
  const asked = read({ input: 'hello', store: false, background: false, truncation: 'disabled', temperature: null })
  assert.deepEqual(encoded({ ...asked, params: { ...asked.params, choices: 1, modalities: ['text'] } }).dropped, [])
})

test('reasoning of other providers stays out of the history, and the provider’s own is sent as it came', () => {
  const messages: Message[] = [
    { role: 'user', content: [{ type: 'text', text: 'Why?' }] },
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'of Anthropic', signature: { origin: 'messages', value: 'sig' } },
        { type: 'reasoning', text: '', signature: { origin: 'responses', value: 'rs_1:gAAA' } },
        { type: 'text', text: 'So.' },
      ],
    },
  ]
  const { body } = encoded({ ...read({ input: 'x' }), messages })
  assert.deepEqual(body.input.slice(1), [
    { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'So.', annotations: [] }] },
  ])
})

test('a long call id is another, the same in call and result', () => {
  const long = 'c'.repeat(90)
  const input = [
    { type: 'function_call', call_id: long, name: 'f', arguments: '' },
    { type: 'function_call_output', call_id: long, output: 'done' },
  ]
  const { body } = encoded(read({ input }))
  assert.equal(body.input[0].call_id, body.input[1].call_id)
  assert.ok(body.input[0].call_id.length <= 64)
  assert.equal(body.input[0].arguments, '{}')
})

test('a system prompt alone is the input', () => {
  const { body } = encoded({ ...read({ input: 'x', instructions: 'Begin.' }), messages: [] })
  assert.equal(body.instructions, undefined)
  const content = [{ type: 'input_text', text: 'Begin.' }]
  assert.deepEqual(body.input, [{ type: 'message', role: 'developer', content }])
})

test('fewer tokens than OpenAI can be asked for are as few as can be', () => {
  assert.equal(encoded(read({ input: 'x', max_output_tokens: 1 })).body.max_output_tokens, 16)
})

test('items of one turn are one message; instructions and what stands before it are the system prompt', () => {
  const { system, messages } = read({
    instructions: 'Be short.',
    input: [
      { role: 'developer', content: 'And kind.' },
      { role: 'user', content: 'Weather?' },
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [
          { type: 'summary_text', text: 'a' },
          { type: 'summary_text', text: 'b' },
        ],
      },
      { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"at":1.0}' },
      { type: 'web_search_call', id: 'ws_1', status: 'completed' },
      { type: 'function_call_output', call_id: 'c1', output: [{ type: 'input_text', text: 'rain' }] },
      { role: 'developer', content: 'Now answer.' },
    ],
  })
  assert.deepEqual(
    system.map((part) => part.text),
    ['Be short.', 'And kind.'],
  )
  assert.deepEqual(
    messages.map(({ role }) => role),
    ['user', 'assistant', 'user', 'developer'],
  )
  assert.deepEqual(messages[1]!.content, [
    { type: 'reasoning', text: 'a\n\nb', signature: null },
    { type: 'tool_call', id: 'c1', name: 'weather', arguments: '{"at":1.0}' },
    { type: 'own', own: { origin: 'responses', value: { type: 'web_search_call', id: 'ws_1', status: 'completed' } } },
  ])
  assert.deepEqual(messages[2]!.content, [
    { type: 'tool_result', id: 'c1', name: 'weather', content: [{ type: 'text', text: 'rain' }] },
  ])
})

test('what only a provider that keeps responses can do is refused by its name', () => {
  const input = 'hello'
  for (const [name, value] of Object.entries({
    previous_response_id: 'resp_1',
    conversation: 'conv_1',
    prompt: { id: 'pmpt_1' },
    background: true,
    store: true,
  })) {
    assert.deepEqual(refusal({ input, [name]: value }), { code: 'unsupported_endpoint', param: name })
  }
  const inItem = (item: JsonObject): string | null => refusal({ input: [{ role: 'user', content: 'x' }, item] }).param
  assert.equal(inItem({ type: 'item_reference', id: 'msg_1' }), 'input[1]')
  assert.equal(inItem({ id: 'msg_1' }), 'input[1]')
  assert.equal(inItem({ type: 'compaction', encrypted_content: 'x' }), 'input[1]')
  const file = { role: 'user', content: [{ type: 'input_file', file_id: 'file_1' }] }
  assert.equal(inItem(file), 'input[1].content[0].file_id')
})

test('what makes no sense is refused where it stands', () => {
  const cases: [JsonObject, string][] = [
    [{}, 'input'],
    [{ input: [] }, 'input'],
    [{ input: [1] }, 'input[0]'],
    [{ input: [{ role: 'tool', content: 'x' }] }, 'input[0].role'],
    [{ input: [{ role: 'user', content: 5 }] }, 'input[0].content'],
    [{ input: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 'input[0].content[0].type'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'data:x' }] }] },
      'input[0].content[0].image_url',
    ],
    [
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'me.png' }] }] },
      'input[0].content[0].image_url',
    ],
    [
      { input: [{ role: 'user', content: [{ type: 'input_file', file_data: '%%' }] }] },
      'input[0].content[0].file_data',
    ],
    [{ input: [{ type: 'function_call_output', call_id: 'c', output: '' }] }, 'input[0].call_id'],
    [{ input: [{ type: 'function_call', name: 'f', arguments: '' }] }, 'input[0].call_id'],
    [{ input: 'x', tools: [{ type: 'function', name: 'f', parameters: [] }] }, 'tools[0].parameters'],
    [{ input: 'x', tools: [{ type: 'function' }] }, 'tools[0].name'],
    [{ input: 'x', tool_choice: { type: 'function', name: 'f' } }, 'tool_choice'],
    [{ input: 'x', text: { format: { type: 'xml' } } }, 'text.format'],
    [{ input: 'x', reasoning: { effort: 'huge' } }, 'reasoning.effort'],
    [{ input: 'x', temperature: 'hot' }, 'temperature'],
    [{ input: 'x', instructions: ['a'] }, 'instructions'],
  ]
  for (const [body, param] of cases) {
    assert.deepEqual(refusal(body), { code: 'param_not_allowed', param }, JSON.stringify(body))
  }
})

test('a tool that another provider runs itself is one of OpenAI’s where it has such, else left out', () => {
  const own = (type: string) => ({
    type: 'own' as const,
    name: type,
    own: { origin: 'messages' as const, value: { type } },
  })
  const asked = read({ input: 'x' })
  const tools = [own('web_search_20250305'), own('memory_20250818')]
  const { body, dropped } = encoded({ ...asked, tools, toolChoice: { type: 'tool', name: 'memory_20250818' } })
  assert.deepEqual(body.tools, [{ type: 'web_search' }])
  assert.equal(body.tool_choice, undefined)
  assert.deepEqual(dropped, ['tools', 'tool_choice'])
})
