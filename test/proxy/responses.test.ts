/** OpenAI's SDK and its Responses API: natively, and in front of providers that speak another API. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import OpenAI from 'openai'

import { assertDescribed, assertResponseEvent, openApiMissing } from '../helpers/openapi.ts'
import type { Behaviour } from '../helpers/upstream.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { aliasOf } from './dialects/kinds.ts'
import { replayAnswer, replayStream } from './dialects/replay.ts'
import { useDialects } from './dialects/scene.ts'

const scene = useDialects()
const NATIVE = aliasOf('OPENAI')
/** A provider that speaks chat alone. */
const CHAT = aliasOf('OPENAI_COMPATIBLE')

const USAGE = {
  input_tokens: 12,
  input_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
  output_tokens: 7,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 19,
}

function response(output: readonly object[], status = 'completed'): Record<string, any> {
  return {
    id: 'resp_0a1b2c',
    object: 'response',
    created_at: 1_770_000_000,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    model: 'upstream-model',
    output,
    parallel_tool_calls: true,
    temperature: 1,
    top_p: 1,
    tool_choice: 'auto',
    tools: [],
    metadata: {},
    ...(status === 'completed' && { usage: USAGE }),
  }
}

const message = (text: string): object => ({
  id: 'msg_1',
  type: 'message',
  status: 'completed',
  role: 'assistant',
  content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
})
const CALL = {
  id: 'fc_1',
  type: 'function_call',
  status: 'completed',
  call_id: 'call_1',
  name: 'weather',
  arguments: '{"at":"Rome"}',
}

/** A stream of OpenAI's that says a text in two pieces, and calls a tool. */
const LINES = [
  { type: 'response.created', response: response([], 'in_progress') },
  { type: 'response.in_progress', response: response([], 'in_progress') },
  { type: 'response.output_item.added', output_index: 0, item: { ...message(''), status: 'in_progress', content: [] } },
  {
    type: 'response.content_part.added',
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    part: { type: 'output_text', text: '', annotations: [], logprobs: [] },
  },
  {
    type: 'response.output_text.delta',
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    delta: 'Hé',
    logprobs: [],
  },
  {
    type: 'response.output_text.delta',
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    delta: 'llo',
    logprobs: [],
  },
  {
    type: 'response.output_text.done',
    item_id: 'msg_1',
    output_index: 0,
    content_index: 0,
    text: 'Héllo',
    logprobs: [],
  },
  { type: 'response.output_item.done', output_index: 0, item: message('Héllo') },
  { type: 'response.output_item.added', output_index: 1, item: { ...CALL, status: 'in_progress', arguments: '' } },
  { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 1, delta: '{"at":"Rome"}' },
  {
    type: 'response.function_call_arguments.done',
    item_id: 'fc_1',
    output_index: 1,
    name: 'weather',
    arguments: '{"at":"Rome"}',
  },
  { type: 'response.output_item.done', output_index: 1, item: CALL },
  { type: 'response.completed', response: response([message('Héllo'), CALL]) },
].map((event, i) => JSON.stringify({ ...event, sequence_number: i }))

const WEATHER = {
  type: 'function' as const,
  name: 'weather',
  description: 'of a place',
  parameters: { type: 'object', properties: { at: { type: 'string' } }, required: ['at'], additionalProperties: false },
  strict: true,
}

/** The same answer as each API's provider gives it: a thought, a text, a call. */
const SAID: Readonly<Record<string, { answer: object; lines: readonly object[] }>> = {
  OPENAI_COMPATIBLE: {
    answer: {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_770_000_000,
      model: 'upstream-model',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'Héllo',
            reasoning_content: 'Hm.',
            tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"at":"Rome"}' } }],
          },
          finish_reason: 'tool_calls',
        },
      ],
      usage: { prompt_tokens: 12, completion_tokens: 7, total_tokens: 19 },
    },
    lines: [
      { role: 'assistant', content: '', reasoning_content: 'Hm.' },
      { content: 'Hé' },
      { content: 'llo' },
      { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } }] },
      { tool_calls: [{ index: 0, function: { arguments: '{"at":"Rome"}' } }] },
      null,
    ].map((delta) => ({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1_770_000_000,
      model: 'upstream-model',
      choices: [{ index: 0, delta: delta ?? {}, finish_reason: delta === null ? 'tool_calls' : null }],
      ...(delta === null && { usage: { prompt_tokens: 12, completion_tokens: 7, total_tokens: 19 } }),
    })),
  },
  ANTHROPIC: {
    answer: {
      id: 'msg_01',
      type: 'message',
      role: 'assistant',
      model: 'upstream-model',
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: 'c2lnbmVk' },
        { type: 'text', text: 'Héllo' },
        { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { at: 'Rome' } },
      ],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: { input_tokens: 12, output_tokens: 7 },
    },
    lines: [
      {
        type: 'message_start',
        message: {
          id: 'msg_01',
          type: 'message',
          role: 'assistant',
          model: 'upstream-model',
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 12, output_tokens: 1 },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Hm.' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'c2lnbmVk' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Hé' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'llo' } },
      { type: 'content_block_stop', index: 1 },
      {
        type: 'content_block_start',
        index: 2,
        content_block: { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} },
      },
      { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: '{"at":"Rome"}' } },
      { type: 'content_block_stop', index: 2 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 7 } },
      { type: 'message_stop' },
    ],
  },
}

function dataOf(text: string): any[] {
  return text
    .split('\n\n')
    .filter((event) => event.startsWith('event: '))
    .map((event) => {
      const [name, data] = event.split('\n')
      const parsed = JSON.parse(data!.slice('data: '.length))
      assert.equal(`event: ${parsed.type}`, name)
      return parsed
    })
}

function described(event: any): void {
  if (!openApiMissing) assertResponseEvent(event)
}

describe('of a provider that speaks it', () => {
  it('both ways are untouched but for the model', async () => {
    const body = `{"model": "${NATIVE}", "input":[{"role":"user","content":"h\\u00e9"}],"top_p":1.0,"later":{"a":[1e2]},"store":true}`
    const answer = JSON.stringify(response([message('Héllo')])).replace('"top_p":1', '"top_p":1.0')
    const { seen, answer: got } = await scene.ask(replayAnswer(answer), '/v1/responses', body)
    assert.equal(seen.url, '/v1/responses')
    assert.equal(seen.body.toString(), body.replace(NATIVE, 'upstream-model'))
    assert.equal(got.text, answer.replace('upstream-model', NATIVE))
    const { usage, endpoint } = await scene.recordOf(got)
    assert.equal(endpoint, '/v1/responses')
    assert.equal(usage.inputTokens, 12)
    assert.equal(usage.cachedInputTokens, 4)
    assert.equal(usage.reasoningTokens, 2)
    assert.equal(usage.source, 'PROVIDER')
  })

  it('streams pass event by event, and OpenAI’s SDK puts them together', async () => {
    for (const cut of ['event', 7] as const) {
      scene.upstream.next(replayStream('responses', LINES, cut))
      const stream = scene.openai.responses.stream({ model: NATIVE, input: 'hello' })
      const texts: string[] = []
      stream.on('response.output_text.delta', ({ delta }) => texts.push(delta))
      const final = await stream.finalResponse()
      assert.deepEqual(texts, ['Hé', 'llo'])
      assert.equal(final.output_text, 'Héllo')
      assert.equal(final.model, NATIVE)
      assert.equal(final.output.at(-1)!.type, 'function_call')
    }
    const { answer } = await scene.ask(replayStream('responses', LINES), '/v1/responses', {
      model: NATIVE,
      input: 'x',
      stream: true,
    })
    const lines = dataOf(answer.text).map((event) => JSON.stringify(event).replaceAll(NATIVE, 'upstream-model'))
    assert.deepEqual(lines, LINES)
    assert.equal((await scene.recordOf(answer)).usage.outputTokens, 7)
  })

  it('the last event tells of itself where that is asked for', async () => {
    const asked = { model: NATIVE, input: 'x', stream: true }
    scene.upstream.next(replayStream('responses', LINES))
    const { text } = await scene.post('/v1/responses', asked, { 'x-millrace-include': 'metadata' })
    const events = dataOf(text)
    assert.equal(events.at(-1).metadata.model, 'upstream-model')
    assert.equal(events.filter((event) => event.metadata !== undefined).length, 1)
  })

  it('what it is asked for by a schema is parsed', async () => {
    scene.upstream.next(replayAnswer(response([message('{"name":"Ann"}')])))
    const format = { type: 'json_schema' as const, name: 'person', schema: { type: 'object' } }
    const parsed = await scene.openai.responses.parse({ model: NATIVE, input: 'x', text: { format } })
    assert.deepEqual(parsed.output_text, '{"name":"Ann"}')
  })

  it('an error after its beginning is an event with the next number, which the SDK throws', async () => {
    const broken = [
      ...LINES.slice(0, 6),
      JSON.stringify({ type: 'error', sequence_number: 6, code: 'server_error', message: 'gone', param: null }),
    ]
    const asked = { model: NATIVE, input: 'x', stream: true as const }
    const { answer } = await scene.ask(replayStream('responses', broken), '/v1/responses', asked)
    const last = dataOf(answer.text).at(-1)
    described(last)
    assert.equal(last.type, 'error')
    assert.equal(last.sequence_number, 6)
    assert.equal(answer.text.includes('[DONE]'), false)
    scene.upstream.next(replayStream('responses', broken))
    await assert.rejects(async () => {
      for await (const _ of await scene.openai.responses.create(asked)) continue
    }, OpenAI.APIError)
  })

  it('an error before any content is an answer', async () => {
    const failed = {
      type: 'response.failed',
      sequence_number: 1,
      response: { ...response([], 'failed'), error: { code: 'server_error', message: 'no' } },
    }
    const lines = [LINES[0]!, JSON.stringify(failed)]
    const { answer } = await scene.ask(replayStream('responses', lines), '/v1/responses', {
      model: NATIVE,
      input: 'x',
      stream: true,
    })
    assert.equal(answer.status, 502)
    assert.equal(JSON.parse(answer.text).error.code, 'all_routes_failed')
  })

  it('thoughts of another provider do not get there', async () => {
    const sealed = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'mr1.gemini.e30' }
    const input = [{ role: 'user', content: 'x' }, sealed, { role: 'user', content: 'y' }]
    const { seen } = await scene.ask(replayAnswer(response([])), '/v1/responses', { model: NATIVE, input })
    assert.deepEqual(seen.json.input, [input[0], input[2]])
  })
})

for (const [kind, { answer, lines }] of Object.entries(SAID)) {
  const model = aliasOf(kind as 'ANTHROPIC')
  const dialect = kind === 'ANTHROPIC' ? 'messages' : 'chat'

  describe(`of a provider of the kind ${kind}`, () => {
    const asked = {
      model,
      instructions: 'Be short.',
      input: 'Weather in Rome?',
      tools: [WEATHER],
      reasoning: { effort: 'low' as const, summary: 'auto' as const },
      metadata: { a: 'b' },
    }

    it('an answer is a response as OpenAI describes it', async () => {
      const { seen, answer: got } = await scene.ask(replayAnswer(answer), '/v1/responses', asked)
      assert.notEqual(seen.url, '/v1/responses')
      assert.equal(got.status, 200, got.text)
      const told = JSON.parse(got.text)
      if (!openApiMissing) assertDescribed('Response', told)
      assert.deepEqual(
        told.output.map(({ type }: any) => type),
        ['reasoning', 'message', 'function_call'],
      )
      assert.equal(told.output[0].summary[0].text, 'Hm.')
      assert.equal(told.output[1].content[0].text, 'Héllo')
      assert.deepEqual(JSON.parse(told.output[2].arguments), { at: 'Rome' })
      assert.equal(told.model, model)
      assert.equal(told.status, 'completed')
      assert.equal(told.instructions, 'Be short.')
      assert.deepEqual(told.metadata, { a: 'b' })
      assert.equal(told.usage.input_tokens, 12)
      assert.equal(told.usage.output_tokens, 7)
    })

    it('a stream has each of OpenAI’s events, numbered, whichever way its bytes are cut', async () => {
      const data = lines.map((line) => JSON.stringify(line))
      for (const cut of ['event', 5, { seed: 3 }] as const) {
        const { answer: got } = await scene.ask(replayStream(dialect, data, cut), '/v1/responses', {
          ...asked,
          stream: true,
        })
        const events = dataOf(got.text)
        events.forEach(described)
        assert.deepEqual(
          events.map(({ sequence_number: number }) => number),
          events.map((_, i) => i),
        )
        assert.deepEqual(
          events.map(({ type }) => type.slice('response.'.length)),
          `created in_progress
           output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.done
           reasoning_summary_part.done output_item.done
           output_item.added content_part.added output_text.delta output_text.delta output_text.done content_part.done
           output_item.done
           output_item.added function_call_arguments.delta function_call_arguments.done output_item.done
           completed`.split(/\s+/),
        )
        assert.equal(events.at(-1).response.usage.output_tokens, 7)
      }
    })

    it('OpenAI’s SDK gathers the stream, and what it sends back is understood', async () => {
      scene.upstream.next(
        replayStream(
          dialect,
          lines.map((line) => JSON.stringify(line)),
        ),
      )
      const final = await scene.openai.responses.stream(asked).finalResponse()
      assert.equal(final.output_text, 'Héllo')
      const [call] = final.output.filter((item) => item.type === 'function_call')
      scene.upstream.next(replayAnswer(answer))
      await scene.openai.responses.create({
        ...asked,
        input: [
          { role: 'user', content: asked.input },
          ...(final.output as OpenAI.Responses.ResponseInputItem[]),
          { type: 'function_call_output', call_id: call!.call_id, output: 'rain' },
        ],
      })
      const { json } = scene.upstream.last
      const [said, result] = json.messages.slice(-2)
      assert.equal(said.role, 'assistant')
      if (kind === 'ANTHROPIC') {
        assert.deepEqual(said.content[0], { type: 'thinking', thinking: 'Hm.', signature: 'c2lnbmVk' })
        assert.equal(result.content[0].tool_use_id, said.content[2].id)
      } else assert.equal(result.tool_call_id, said.tool_calls[0].id)
    })

    it('a stream that breaks off ends with an error event of the next number', async () => {
      const data = lines.slice(0, -1).map((line) => JSON.stringify(line))
      const broken: Behaviour =
        kind === 'ANTHROPIC' ? replayStream(dialect, data) : behaviours.events(data, { done: null })
      const { answer: got } = await scene.ask(broken, '/v1/responses', { ...asked, stream: true })
      const events = dataOf(got.text)
      const last = events.at(-1)
      described(last)
      assert.equal(last.type, 'error')
      assert.equal(last.sequence_number, events.length - 1)
    })
  })
}

describe('of a provider that signs calls', () => {
  const model = aliasOf('GEMINI')
  const call = { functionCall: { name: 'weather', args: { at: 'Rome' } }, thoughtSignature: 'c2lnbmVk' }
  const answer = {
    candidates: [{ content: { role: 'model', parts: [call] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: { promptTokenCount: 12, candidatesTokenCount: 7, totalTokenCount: 19 },
    modelVersion: 'gemini-3-pro',
    responseId: 'r1',
  }

  it('its signature comes back with what the client sends of the answer', async () => {
    const asked = { model, input: 'Weather?', tools: [WEATHER] }
    for (const stream of [false, true]) {
      scene.upstream.next(stream ? replayStream('gemini', [JSON.stringify(answer)]) : replayAnswer(answer))
      const { output }: { output: OpenAI.Responses.ResponseOutputItem[] } = stream
        ? await scene.openai.responses.stream(asked).finalResponse()
        : await scene.openai.responses.create(asked)
      const made = output.find((item) => item.type === 'function_call')
      scene.upstream.next(replayAnswer(answer))
      await scene.openai.responses.create({
        ...asked,
        input: [
          { role: 'user', content: 'Weather?' },
          ...(output as OpenAI.Responses.ResponseInputItem[]),
          { type: 'function_call_output', call_id: made!.call_id, output: 'rain' },
        ],
      })
      const [, said] = scene.upstream.last.json.contents
      assert.equal(said.parts[0].thoughtSignature, 'c2lnbmVk')
      assert.deepEqual(said.parts[0].functionCall.args, { at: 'Rome' })
    }
  })
})

describe('what only a provider that keeps responses can do', () => {
  it('is refused by name, and the provider is not asked', async () => {
    const before = scene.upstream.requests.length
    for (const [name, value] of Object.entries({
      previous_response_id: 'resp_1',
      store: true,
      background: true,
      conversation: 'c',
    })) {
      const { status, text } = await scene.post('/v1/responses', { model: CHAT, input: 'x', [name]: value })
      const { error } = JSON.parse(text)
      assert.deepEqual([status, error.code, error.param], [400, 'unsupported_endpoint', name])
    }
    assert.equal(scene.upstream.requests.length, before)
  })
})

describe('a model that is only served by this API', () => {
  const model = aliasOf('OPENAI_RESPONSES')
  const messages = [{ role: 'user' as const, content: 'Weather in Rome?' }]

  it('answers chat’s clients, and nothing is kept', async () => {
    const tools = [{ type: 'function', function: { name: 'weather', parameters: WEATHER.parameters } }]
    const body = { model, messages, tools, stop: ['x'], max_tokens: 5 }
    const { seen, answer } = await scene.ask(
      replayAnswer(response([message('Héllo'), CALL])),
      '/v1/chat/completions',
      body,
    )
    assert.equal(seen.url, '/v1/responses')
    assert.deepEqual(seen.json, {
      model: 'upstream-model',
      input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Weather in Rome?' }] }],
      tools: [{ type: 'function', name: 'weather', parameters: WEATHER.parameters, strict: false }],
      max_output_tokens: 16,
      include: ['reasoning.encrypted_content'],
      store: false,
    })
    assert.equal(answer.headers['x-millrace-dropped-params'], 'stop')
    const [choice] = JSON.parse(answer.text).choices
    assert.equal(choice.message.content, 'Héllo')
    assert.deepEqual(choice.message.tool_calls[0].function, { name: 'weather', arguments: '{"at":"Rome"}' })
    assert.equal(choice.finish_reason, 'tool_calls')
    assert.equal((await scene.recordOf(answer)).usage.reasoningTokens, 2)
  })

  it('streams to them', async () => {
    scene.upstream.next(replayStream('responses', LINES, 9))
    const completion = await scene.openai.chat.completions.stream({ model, messages }).finalChatCompletion()
    assert.equal(completion.choices[0]!.message.content, 'Héllo')
    assert.equal(completion.choices[0]!.finish_reason, 'tool_calls')
  })

  it('gets its own reasoning back from clients of Anthropic’s API', async () => {
    const thought = {
      type: 'reasoning',
      id: 'rs_1',
      summary: [{ type: 'summary_text', text: 'Hm.' }],
      encrypted_content: 'gAAA',
    }
    const asked = {
      model,
      max_tokens: 4_000,
      thinking: { type: 'enabled' as const, budget_tokens: 2_000 },
      tools: [{ name: 'weather', input_schema: { type: 'object' as const } }],
    }
    scene.upstream.next(replayAnswer(response([thought, message('Héllo'), CALL])))
    const said = await scene.anthropic.messages.create({ ...asked, messages })
    assert.deepEqual(
      said.content.map(({ type }) => type),
      ['thinking', 'text', 'tool_use'],
    )
    assert.equal(said.usage.input_tokens, 8)
    assert.equal(said.usage.cache_read_input_tokens, 4)
    scene.upstream.next(replayAnswer(response([message('Rain.')])))
    const call = said.content[2] as { id: string }
    const result = { type: 'tool_result' as const, tool_use_id: call.id, content: 'rain' }
    await scene.anthropic.messages.create({
      ...asked,
      messages: [...messages, { role: 'assistant', content: said.content }, { role: 'user', content: [result] }],
    })
    const { json } = scene.upstream.last
    assert.equal(json.reasoning.effort, 'low')
    assert.deepEqual(json.input.slice(1), [
      thought,
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Héllo', annotations: [] }] },
      { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"at":"Rome"}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'rain' },
    ])
  })

  it('is asked natively by clients of this one', async () => {
    const { seen } = await scene.ask(replayAnswer(response([])), '/v1/responses', { model, input: 'x', store: true })
    assert.deepEqual(seen.json, { model: 'upstream-model', input: 'x', store: true })
  })
})
