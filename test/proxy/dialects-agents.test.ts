/** What coding agents send, in their own API, against every kind of provider. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { heardStream, PATHS } from './dialects/clients.ts'
import { aliasOf, KIND, KINDS } from './dialects/kinds.ts'
import { speaking } from './dialects/provider.ts'
import type { Json } from './dialects/said.ts'
import { useDialects } from './dialects/scene.ts'
import { callingTools, CONCLUSION, PARAMETERS, RESULT } from './dialects/tools.ts'

const scene = useDialects()
const EPHEMERAL = { type: 'ephemeral' }

/** As one of Anthropic's clients asks. */
const OF_MESSAGES: Json = {
  max_tokens: 32_000,
  stream: true,
  system: [
    { type: 'text', text: 'You are an agent.', cache_control: EPHEMERAL },
    { type: 'text', text: 'Work in /tmp.', cache_control: { type: 'ephemeral', ttl: '1h' } },
  ],
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: '<system-reminder>Be brief.</system-reminder>' },
        { type: 'text', text: 'How is the weather?', cache_control: EPHEMERAL },
      ],
    },
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_01', name: 'weather', input: { city: 'Bonn' } }] },
    {
      role: 'user',
      content: [
        {
          type: 'tool_result',
          tool_use_id: 'toolu_01',
          content: 'no such city',
          is_error: true,
          cache_control: EPHEMERAL,
        },
        { type: 'text', text: 'Try another.' },
      ],
    },
  ],
  tools: [
    {
      name: 'weather',
      description: 'Tells the weather.',
      input_schema: { $schema: 'https://json-schema.org/draft/2020-12/schema', ...PARAMETERS },
    },
    { name: 'now', description: '', input_schema: { type: 'object', properties: {} } },
  ],
  thinking: { type: 'adaptive' },
  output_config: { effort: 'medium' },
  context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
  metadata: { user_id: 'user_1_account__session_2' },
}

/** As one of OpenAI's clients asks. */
const OF_RESPONSES: Json = {
  instructions: 'You are an agent.',
  stream: true,
  store: false,
  input: [
    { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'Work in /tmp.' }] },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'How is the weather?' }] },
    { type: 'function_call', call_id: 'call_01', name: 'weather', arguments: '{"city":"Bonn"}' },
    { type: 'function_call_output', call_id: 'call_01', output: 'no such city' },
    { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Try another.' }] },
  ],
  tools: [
    { type: 'function', name: 'weather', description: 'Tells it.', strict: false, parameters: PARAMETERS },
    {
      type: 'custom',
      name: 'apply_patch',
      description: 'Edits files.',
      format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
    },
  ],
  tool_choice: 'auto',
  parallel_tool_calls: true,
  reasoning: { effort: 'medium', summary: 'auto' },
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: '01a1fb9a',
  text: { verbosity: 'medium' },
}

for (const kind of KINDS) {
  if (kind === 'SIMULATED') continue
  const model = aliasOf(kind)

  describe(`agents at ${kind}`, () => {
    test('of Anthropic', async () => {
      scene.upstream.otherwise = speaking(callingTools)
      const path = `${PATHS.messages}?beta=true`
      const translated = KIND[kind].speaks !== 'messages'
      const headers = { 'anthropic-version': '2023-06-01', 'anthropic-beta': 'interleaved-thinking-2025-05-14' }
      const first = await scene.post(path, { model, ...OF_MESSAGES }, headers)
      const { calls, finish } = heardStream('messages', first, translated)
      assert.equal(calls.length, 2)
      assert.equal(finish, 'tool_calls')
      const messages = [
        ...OF_MESSAGES.messages,
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 'toolu_02', name: 'weather', input: { city: 'Oslo' } }],
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'toolu_02', content: [{ type: 'text', text: RESULT }] }],
        },
      ]
      const second = await scene.post(path, { model, ...OF_MESSAGES, messages }, headers)
      assert.equal(heardStream('messages', second, translated).text, CONCLUSION)
      assert.ok(scene.upstream.last.body.includes('no such city'))
    })

    test('of OpenAI', async () => {
      scene.upstream.otherwise = speaking(callingTools)
      const native = kind === 'AZURE_OPENAI' || kind.startsWith('OPENAI_R') || kind === 'OPENAI'
      const first = await scene.post(PATHS.responses, { model, ...OF_RESPONSES })
      const { calls, finish } = heardStream('responses', first, !native)
      assert.equal(calls.length, 2)
      assert.equal(finish, 'tool_calls')
      const input = [
        ...OF_RESPONSES.input,
        { type: 'custom_tool_call', call_id: 'call_02', name: 'apply_patch', input: '*** Begin Patch' },
        { type: 'custom_tool_call_output', call_id: 'call_02', output: 'Done.' },
        { type: 'function_call', call_id: 'call_03', name: 'weather', arguments: '{"city":"Oslo"}' },
        { type: 'function_call_output', call_id: 'call_03', output: [{ type: 'input_text', text: RESULT }] },
      ]
      const second = await scene.post(PATHS.responses, { model, ...OF_RESPONSES, input })
      assert.equal(heardStream('responses', second, !native).text, CONCLUSION)
      assert.ok(scene.upstream.last.body.includes('*** Begin Patch'))
    })
  })
}
