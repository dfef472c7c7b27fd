/** Requests with about all in them that each API has and others can be told. */
import type { Talker } from './clients.ts'
import type { Json } from './said.ts'
import { PARAMETERS, SCHEMA } from './tools.ts'

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const DATA = `data:image/png;base64,${PIXEL}`

const chat: readonly Json[] = [
  {
    model: 'model',
    messages: [
      { role: 'system', content: 'Be short.' },
      { role: 'developer', content: [{ type: 'text', text: 'And kind.' }] },
      {
        role: 'user',
        name: 'ann',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: DATA, detail: 'low' } },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        ],
      },
      {
        role: 'assistant',
        content: 'Let me see.',
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } },
          { id: 'call_2', type: 'function', function: { name: 'now', arguments: '' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
      { role: 'tool', tool_call_id: 'call_2', content: [{ type: 'text', text: 'noon' }] },
      { role: 'assistant', content: null, refusal: 'No.' },
      { role: 'system', content: 'Now be long.' },
      { role: 'user', content: 'Go on.' },
    ],
    tools: [
      {
        type: 'function',
        function: { name: 'weather', description: 'Tells it.', parameters: PARAMETERS, strict: true },
      },
      { type: 'function', function: { name: 'now' } },
    ],
    tool_choice: { type: 'function', function: { name: 'weather' } },
    parallel_tool_calls: false,
    temperature: 0.5,
    top_p: 0.9,
    max_completion_tokens: 100,
    stop: ['a', 'b'],
    seed: 7,
    n: 1,
    frequency_penalty: 0.1,
    presence_penalty: 0.2,
    logit_bias: { '50256': -100 },
    logprobs: false,
    reasoning_effort: 'low',
    user: 'me',
    metadata: { a: 'b' },
    service_tier: 'auto',
    verbosity: 'low',
    stream: false,
    store: false,
  },
  {
    model: 'model',
    messages: [{ role: 'user', content: 'Sure?' }],
    response_format: { type: 'json_schema', json_schema: { name: 'verdict', schema: SCHEMA, strict: true } },
    max_tokens: 50,
  },
]

const responses: readonly Json[] = [
  {
    model: 'model',
    instructions: 'Be short.',
    input: [
      { role: 'developer', content: 'And kind.' },
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'What is this?' },
          { type: 'input_image', image_url: DATA, detail: 'low' },
        ],
      },
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'ZW5j' },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'Let me see.', annotations: [] }],
      },
      { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'sunny' },
      { role: 'user', content: 'Go on.' },
    ],
    tools: [
      { type: 'function', name: 'weather', description: 'Tells it.', parameters: PARAMETERS, strict: true },
      { type: 'function', name: 'now', parameters: null, strict: false },
    ],
    tool_choice: 'required',
    parallel_tool_calls: true,
    temperature: 0.5,
    top_p: 0.9,
    max_output_tokens: 100,
    reasoning: { effort: 'low', summary: 'auto' },
    include: ['reasoning.encrypted_content'],
    text: { format: { type: 'text' }, verbosity: 'low' },
    metadata: { a: 'b' },
    store: false,
    user: 'me',
  },
  {
    model: 'model',
    input: 'Sure?',
    text: { format: { type: 'json_schema', name: 'verdict', schema: SCHEMA, strict: true } },
  },
]

const messages: readonly Json[] = [
  {
    model: 'model',
    max_tokens: 4_000,
    system: [{ type: 'text', text: 'Be short.', cache_control: { type: 'ephemeral' } }],
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
          { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'A text.' }, title: 'T' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
          { type: 'text', text: 'Let me see.' },
          { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Oslo' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'sunny' }], is_error: false },
          { type: 'text', text: 'Go on.' },
        ],
      },
    ],
    tools: [
      { name: 'weather', description: 'Tells it.', input_schema: PARAMETERS },
      { name: 'now', input_schema: { type: 'object' }, cache_control: { type: 'ephemeral' } },
    ],
    tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    thinking: { type: 'enabled', budget_tokens: 2_000 },
    metadata: { user_id: 'me' },
    service_tier: 'auto',
    stream: false,
  },
  {
    model: 'model',
    max_tokens: 50,
    messages: [{ role: 'user', content: 'Hello.' }],
    stop_sequences: ['a'],
    temperature: 0.5,
    top_k: 5,
    top_p: 0.9,
  },
]

export const REQUESTS: Readonly<Record<Talker, readonly Json[]>> = { chat, responses, messages }
