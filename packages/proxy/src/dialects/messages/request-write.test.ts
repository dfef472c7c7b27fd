import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { Part } from '../../canonical/content.ts'
import { PLAIN_REQUEST } from '../../canonical/request.fixture.ts'
import { NO_PARAMS, type ChatRequest, type Params, type Reasoning } from '../../canonical/request.ts'
import { encodeMessages } from './request-write.ts'

const USER = { role: 'user' as const, content: [{ type: 'text' as const, text: 'Hello.' }] }
const EMPTY: ChatRequest = {
  ...PLAIN_REQUEST,
  messages: [USER],
  named: { reasoning: 'reasoning_effort', topP: 'top_p', maxTokens: 'max_completion_tokens' },
}
const SONNET = 'claude-sonnet-4-5'
const OPUS = 'claude-opus-4-8'
const F = { type: 'function' as const, name: 'f', description: null, parameters: null, strict: null }

function write(request: Partial<ChatRequest>, model = SONNET) {
  const { body, ...rest } = encodeMessages({ ...EMPTY, ...request }, { model, stream: false })
  return { body: JSON.parse(body), ...rest }
}

const params = (some: Partial<Params>) => ({ params: { ...NO_PARAMS, ...some } })
const thinking = (some: Partial<Reasoning>) => ({
  reasoning: { effort: null, budget: null, enabled: null, shown: null, ...some },
})
const call = (id: string): Part => ({ type: 'tool_call', id, name: 'f', arguments: '{}' })
const result = (id: string): Part => ({ type: 'tool_result', id, content: [{ type: 'text', text: 'ok' }] })
const text = (words: string): Part => ({ type: 'text', text: words })

describe('a request put to the Messages API', () => {
  test('has a limit of tokens that its model takes', () => {
    const of = (model: string) => write({}, model).body.max_tokens
    assert.deepEqual(
      ['claude-3-haiku-20240307', 'claude-3-5-sonnet-20241022', 'claude-opus-4-20250514', SONNET, OPUS, 'other'].map(
        of,
      ),
      [4_096, 8_192, 32_000, 64_000, 64_000, 8_192],
    )
    assert.equal(write(params({ maxTokens: 7 })).body.max_tokens, 7)
  })

  test('has roles in turn, the user first, and results before all else', () => {
    const { body } = write({
      system: [{ type: 'text', text: 'One.' }],
      messages: [
        { role: 'assistant', content: [text('Hi.'), call('a.b'), call('c')] },
        { role: 'user', content: [text('And?'), result('a.b')] },
        { role: 'developer', content: [text('Two.')] },
        { role: 'user', content: [result('c'), text('  ')] },
        { role: 'assistant', content: [text('Well, \n')] },
      ],
    })
    assert.deepEqual(
      body.system.map((block: { text: string }) => block.text),
      ['One.', 'Two.'],
    )
    assert.deepEqual(
      body.messages.map(({ role, content }: { role: string; content: { type: string }[] }) => [
        role,
        content.map(({ type }) => type).join(),
      ]),
      [
        ['user', 'text'],
        ['assistant', 'text,tool_use,tool_use'],
        ['user', 'tool_result,tool_result,text'],
        ['assistant', 'text'],
      ],
    )
    const id = body.messages[1].content[1].id
    assert.match(id, /^[a-zA-Z0-9_-]+$/)
    assert.equal(body.messages[2].content[0].tool_use_id, id)
    assert.equal(body.messages[1].content[2].id, 'c')
    assert.equal(body.messages[3].content[0].text, 'Well,')
    // The API does not take calls of tools that it was not told of.
    assert.deepEqual([body.tools[0].name, body.tool_choice], ['f', { type: 'none' }])
  })

  test('says a system prompt alone as the user', () => {
    const { body } = write({ system: [{ type: 'text', text: 'One.' }], messages: [] })
    assert.deepEqual(
      [body.system, body.messages],
      [undefined, [{ role: 'user', content: [{ type: 'text', text: 'One.' }] }]],
    )
  })

  test('thinks by a budget below the limit, or by effort, as the model knows', () => {
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

  test('does not think within a turn whose thoughts are not there', () => {
    const unsigned: Part = { type: 'reasoning', text: 'Hm.', signature: null }
    const signed: Part = { type: 'reasoning', text: 'Hm.', signature: { origin: 'messages', value: 'abc' } }
    const turn = (first: Part) => ({
      ...thinking({ effort: 'high' }),
      tools: [F],
      messages: [
        USER,
        { role: 'assistant' as const, content: [first, call('a')] },
        { role: 'user' as const, content: [result('a')] },
      ],
    })
    const without = write(turn(unsigned))
    assert.deepEqual([without.body.thinking, without.dropped], [undefined, ['reasoning_effort']])
    assert.equal(without.body.messages[1].content[0].type, 'tool_use')
    const { body } = write(turn(signed))
    assert.equal(body.thinking.type, 'enabled')
    assert.deepEqual(body.messages[1].content[0], { type: 'thinking', thinking: 'Hm.', signature: 'abc' })
    assert.equal(write(turn(unsigned), OPUS).body.thinking.type, 'adaptive')
  })

  test('has no temperature with thinking, nor with models that refuse it', () => {
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
    const forcedThought = write({ ...two, toolChoice: { type: 'required' }, ...thinking({ effort: 'low' }) })
    assert.deepEqual([forcedThought.body.thinking, forcedThought.dropped], [undefined, ['reasoning_effort']])
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

  test('names what it does not say, each once, and says nothing of what is the default', () => {
    const { body, dropped } = write({
      unknown: ['prediction'],
      ...params({
        seed: 1,
        choices: 2,
        logprobs: false,
        frequencyPenalty: 0,
        stop: ['x', ' '],
        user: 'u',
        serviceTier: 'auto',
      }),
    })
    assert.deepEqual(dropped, ['prediction', 'stop', 'seed', 'choices'])
    assert.deepEqual([body.stop_sequences, body.metadata, body.service_tier], [['x'], { user_id: 'u' }, undefined])
    assert.deepEqual(write(params({ choices: 1, modalities: ['text'] })).dropped, [])
  })

  test('refuses what no model of Anthropic takes', () => {
    const audio: Part = { type: 'audio', data: 'aaaa', format: 'wav' }
    assert.throws(() => write({ messages: [{ role: 'user', content: [audio] }] }), { code: 'unsupported_endpoint' })
    const file: Part = { type: 'file', source: { from: 'data', mediaType: 'video/mp4', data: 'aaaa' } }
    assert.throws(() => write({ messages: [{ role: 'user', content: [file] }] }), { code: 'unsupported_endpoint' })
  })

  test('marks no more than four places to be kept', () => {
    const marked: Part = { type: 'text', text: 'x', cache: { ttl: null } }
    const { body } = write({ messages: [{ role: 'user', content: [marked, marked, marked, marked, marked, marked] }] })
    assert.equal(body.messages[0].content.filter((block: object) => 'cache_control' in block).length, 4)
  })
})
