import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { GatewayError } from '@millrace/shared'

import { PLAIN_REQUEST } from '../../canonical/request.fixture.ts'
import { NO_PARAMS, type ChatRequest, type Message } from '../../canonical/request.ts'
import { COMPATIBLE_WIRE, OPENAI_WIRE, type ChatWireOptions } from './wire-options.ts'
import { chatWire } from './wire.ts'

const REQUEST: ChatRequest = {
  ...PLAIN_REQUEST,
  messages: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
}

function encode(request: Partial<ChatRequest>, options: ChatWireOptions = OPENAI_WIRE, stream = false) {
  const { body, dropped } = chatWire(options).encode({ ...REQUEST, ...request }, { model: 'm', stream })
  return { body: JSON.parse(body), dropped }
}

describe('a request to OpenAI', () => {
  it('has results before what the user says, and images of results after them', () => {
    const image = { type: 'image', source: { from: 'data', mediaType: 'image/png', data: 'AAAA' } } as const
    const { body } = encode({
      system: [{ type: 'text', text: 's' }],
      messages: [
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: 't', signature: { origin: 'messages', value: 's' } },
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
            { type: 'tool_call', id: '1', name: 'f', arguments: '' },
            { type: 'tool_call', id: '2', name: 'g', arguments: 'x', kind: 'custom' },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'next' },
            { type: 'tool_result', id: '1', name: 'f', content: [image] },
            { type: 'tool_result', id: '2', content: [{ type: 'text', text: 'r' }] },
          ],
        },
      ],
    })
    assert.deepEqual(body.messages, [
      { role: 'system', content: 's' },
      {
        role: 'assistant',
        content: 'ab',
        tool_calls: [
          { id: '1', type: 'function', function: { name: 'f', arguments: '{}' } },
          { id: '2', type: 'custom', custom: { name: 'g', input: 'x' } },
        ],
      },
      { role: 'tool', tool_call_id: '1', content: 'See the next message.' },
      { role: 'tool', tool_call_id: '2', content: 'r' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What the tool f has answered:' },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          { type: 'text', text: 'next' },
        ],
      },
    ])
  })

  it('asks a stream for its usage', () => {
    const { body } = encode({}, OPENAI_WIRE, true)
    assert.deepEqual([body.stream, body.stream_options], [true, { include_usage: true }])
    assert.equal(encode({}, { ...OPENAI_WIRE, includeUsage: false }, true).body.stream_options, undefined)
    assert.equal(encode({}).body.stream, undefined)
  })

  it('tells what was dropped by the client’s names', () => {
    const { body, dropped } = encode({
      params: { ...NO_PARAMS, maxTokens: 5, topK: 3, metadata: { a: 1 }, serviceTier: 'standard_only', choices: 1 },
      named: { topK: 'top_k', metadata: 'metadata', serviceTier: 'service_tier', maxTokens: 'max_tokens' },
      unknown: ['container'],
    })
    assert.deepEqual(dropped, ['container', 'top_k', 'metadata', 'service_tier'])
    assert.deepEqual([body.max_completion_tokens, body.max_tokens, body.n], [5, undefined, undefined])
  })

  it('has ids of calls that are not too long', () => {
    const long = 'x'.repeat(60)
    const { body } = encode({
      messages: [
        { role: 'assistant', content: [{ type: 'tool_call', id: long, name: 'f', arguments: '{}' }] },
        { role: 'user', content: [{ type: 'tool_result', id: long, content: [] }] },
      ],
    })
    const [{ tool_calls: calls }, { tool_call_id: id }] = body.messages
    assert.equal(calls[0].id, id)
    assert.ok(id.length <= 40)
  })

  it('has names of tools that are not too long, which the client never sees', () => {
    const name = `mcp__${'server'.repeat(12)}__tool.x`
    const tool = { type: 'function', name, description: null, parameters: null, strict: null } as const
    const wire = chatWire()
    const request: ChatRequest = {
      ...REQUEST,
      tools: [tool],
      toolChoice: { type: 'tool', name },
      messages: [{ role: 'assistant', content: [{ type: 'tool_call', id: '1', name, arguments: '{}' }] }],
    }
    const encoded = wire.encode(request, { model: 'm', stream: true })
    const body = JSON.parse(encoded.body)
    const sent = body.tools[0].function.name
    assert.match(sent, /^[a-zA-Z0-9_-]{1,64}$/)
    assert.deepEqual([body.tool_choice.function.name, body.messages[0].tool_calls[0].function.name], [sent, sent])
    const call = { index: 0, id: 'a', type: 'function', function: { name: sent, arguments: '{}' } }
    const read = wire.read({ choices: [{ message: { tool_calls: [call] } }] }, encoded)
    assert.ok(read?.kind === 'chat')
    const [told] = read.choices[0]!.content
    assert.equal(told?.type === 'tool_call' && told.name, name)
    const parts = wire
      .reader(encoded)
      .take(JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [call] } }] }), '')
    assert.ok(parts.some((part) => part.type === 'tool_call' && part.name === name))
  })

  it('says who it is for by a digest where that is too long', () => {
    const { body } = encode({ params: { ...NO_PARAMS, user: 'u'.repeat(150) } })
    assert.match(body.user, /^[0-9a-f]{64}$/)
  })

  it('is not made of what was uploaded elsewhere', () => {
    const content = [{ type: 'image', source: { from: 'file', id: 'f' } }] as const
    assert.throws(
      () => encode({ messages: [{ role: 'user', content }], named: { messages: 'input' } }),
      (error) => error instanceof GatewayError && error.code === 'unsupported_endpoint' && error.param === 'input',
    )
  })

  for (const [reasoning, expected] of [
    [{ effort: 'high', budget: null, enabled: true, shown: null }, 'high'],
    [{ effort: null, budget: 30_000, enabled: true, shown: null }, 'high'],
    [{ effort: null, budget: 1_024, enabled: true, shown: null }, 'low'],
    [{ effort: null, budget: null, enabled: true, shown: null }, undefined],
  ] as const) {
    it(`thinks: ${JSON.stringify(reasoning)}`, () => {
      assert.equal(encode({ reasoning }).body.reasoning_effort, expected)
    })
  }
})

describe('a request to others', () => {
  const messages: Message[] = [
    { role: 'user', content: [{ type: 'text', text: 'a' }] },
    {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 't', signature: null },
        { type: 'reasoning', text: 'not its own', signature: { origin: 'messages', value: 's' } },
        { type: 'tool_call', id: 'toolu_01', name: 'f', arguments: '{}' },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', id: 'toolu_01', content: [{ type: 'text', text: 'r' }] }] },
  ]

  it('has ids of calls as Mistral wants them', () => {
    const { body } = encode({ messages }, { ...COMPATIBLE_WIRE, toolIds: 'nine' })
    const id = body.messages[1].tool_calls[0].id
    assert.match(id, /^[A-Za-z0-9]{9}$/)
    assert.equal(body.messages[2].tool_call_id, id)
  })

  it('has its own thoughts back where it wants them, of the turn that goes on', () => {
    const options = { ...COMPATIBLE_WIRE, reasoningBack: 'reasoning_content' } as const
    assert.equal(encode({ messages }, options).body.messages[1].reasoning_content, 't')
    const more: Message = { role: 'user', content: [{ type: 'text', text: 'next' }] }
    assert.equal(encode({ messages: [...messages, more] }, options).body.messages[1].reasoning_content, undefined)
    assert.equal(encode({ messages }, COMPATIBLE_WIRE).body.messages[1].reasoning_content, undefined)
  })

  it('has OpenRouter’s details back as they were', () => {
    const detail = { type: 'reasoning.text', text: 't', signature: 's', format: 'anthropic-claude-v1', index: 0 }
    const sealed = { type: 'reasoning.encrypted', data: 'd', format: 'openai-responses-v1', id: 'rs_1', index: 1 }
    const answer = { choices: [{ message: { content: 'a', reasoning: 't', reasoning_details: [detail, sealed] } }] }
    const read = chatWire().read(answer, { dropped: [], answerTool: null, memo: null })
    assert.ok(read?.kind === 'chat')
    const { content } = read.choices[0]!
    const { body } = encode(
      { messages: [{ role: 'assistant', content }] },
      { ...COMPATIBLE_WIRE, reasoningBack: 'reasoning_details' },
    )
    assert.deepEqual(body.messages[0].reasoning_details, [detail, sealed])
  })

  it('has other names, and not what is refused', () => {
    const options = { ...COMPATIBLE_WIRE, rename: { seed: 'random_seed' }, drop: ['user'], names: 'tool' } as const
    const { body, dropped } = encode(
      {
        params: { ...NO_PARAMS, seed: 5, user: 'u', maxTokens: 7 },
        messages: [{ role: 'user', name: 'ann', content: [] }],
      },
      options,
    )
    assert.deepEqual([body.random_seed, body.seed, body.user, body.max_tokens], [5, undefined, undefined, 7])
    assert.deepEqual(dropped, ['user'])
    assert.equal(body.messages[0].name, undefined)
  })

  it('names nothing that is so anyway among what is left out', () => {
    const params = {
      ...NO_PARAMS,
      serviceTier: 'auto',
      verbosity: 'medium',
      modalities: ['text'],
      metadata: {},
      choices: 1,
    }
    assert.deepEqual(encode({ params }, COMPATIBLE_WIRE).dropped, [])
    const others = { ...NO_PARAMS, serviceTier: 'flex', verbosity: 'low', metadata: { a: 1 } }
    assert.deepEqual(encode({ params: others }, COMPATIBLE_WIRE).dropped, ['metadata', 'service_tier', 'verbosity'])
  })

  it('has the model speak between a tool and the user, where it must', () => {
    const turns: Message[] = [
      { role: 'assistant', content: [{ type: 'tool_call', id: '1', name: 'f', arguments: '{}' }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', id: '1', name: 'f', content: [{ type: 'text', text: 'r' }] },
          { type: 'text', text: 'next' },
        ],
      },
    ]
    const roles = (said: Message[], userAfterTool: boolean): string[] =>
      encode({ messages: said }, { ...COMPATIBLE_WIRE, userAfterTool }).body.messages.map((each: Message) => each.role)
    assert.deepEqual(roles(turns, true), ['assistant', 'tool', 'user'])
    assert.deepEqual(roles(turns, false), ['assistant', 'tool', 'assistant', 'user'])
    const [called, { content }] = turns as [Message, Message]
    assert.deepEqual(roles([called, { role: 'user', content: content.slice(0, 1) }], false), ['assistant', 'tool'])
  })

  it('tells a schema in words where only JSON can be asked for', () => {
    const format = { type: 'schema', name: 'n', description: null, schema: { type: 'object' }, strict: null } as const
    const { body } = encode({ format }, { ...COMPATIBLE_WIRE, schema: 'json_object' })
    assert.deepEqual(body.response_format, { type: 'json_object' })
    assert.match(body.messages[0].content, /\{"type":"object"\}/)
  })

  it('calls tools that take any text as functions, whose text the client gets', () => {
    const tool = { type: 'custom', name: 'sql', description: 'd', format: { type: 'text' } } as const
    const wire = chatWire(COMPATIBLE_WIRE)
    const encoded = wire.encode({ ...REQUEST, tools: [tool] }, { model: 'm', stream: false })
    const [{ function: called }] = JSON.parse(encoded.body).tools
    assert.deepEqual([called.name, called.parameters.required], ['sql', ['input']])
    const call = { id: 'a', type: 'function', function: { name: 'sql', arguments: '{"input":"a\\n\\u00e9"}' } }
    const read = wire.read({ choices: [{ message: { content: null, tool_calls: [call] } }] }, encoded)
    assert.ok(read?.kind === 'chat')
    const expected = { type: 'tool_call', id: 'a', name: 'sql', arguments: 'a\né', kind: 'custom' }
    assert.deepEqual(read.choices[0]!.content, [expected])

    const reader = wire.reader(encoded)
    const deltas = [{ ...call, index: 0, function: { name: 'sql', arguments: '' } }, ...call.function.arguments].map(
      (piece) => (typeof piece === 'string' ? { index: 0, function: { arguments: piece } } : piece),
    )
    const parts = deltas.flatMap((piece) =>
      reader.take(JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { tool_calls: [piece] } }] }), ''),
    )
    assert.equal(parts.map((part) => (part.type === 'arguments' ? part.text : '')).join(''), 'a\né')
    assert.ok(parts.some((part) => part.type === 'tool_call' && part.kind === 'custom'))
  })

  it('offers the allowed tools alone', () => {
    const tool = { type: 'function', description: null, parameters: null, strict: null } as const
    const { body } = encode(
      {
        tools: [
          { ...tool, name: 'f' },
          { ...tool, name: 'g' },
        ],
        toolChoice: { type: 'allowed', names: ['g'], required: true },
      },
      COMPATIBLE_WIRE,
    )
    assert.deepEqual([body.tools.length, body.tools[0].function.name, body.tool_choice], [1, 'g', 'required'])
  })

  for (const [form, options, expected] of [
    ['reasoning', { reasoning: 'reasoning' }, { reasoning: { max_tokens: 5_000 } }],
    ['thinking', { reasoning: 'thinking' }, { thinking: { type: 'enabled' } }],
    ['enable_thinking', { reasoning: 'enable_thinking' }, { enable_thinking: true, thinking_budget: 5_000 }],
  ] as const) {
    it(`thinks by ${form}`, () => {
      const reasoning = { effort: null, budget: 5_000, enabled: true, shown: null }
      const { body } = encode({ reasoning }, { ...COMPATIBLE_WIRE, ...options })
      assert.deepEqual({ ...body, ...expected }, body)
    })
  }
})
