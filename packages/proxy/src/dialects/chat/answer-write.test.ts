import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { NO_USAGE } from '@millrace/shared'

import type { ChatAnswer, StreamPart } from '../../canonical/answer.ts'
import type { Part } from '../../canonical/content.ts'
import type { Saying } from '../../canonical/writer.ts'
import { chatWriter } from './answer-write.ts'
import { foldChatStream } from './fold.ts'
import { readChatRequest } from './request-read.ts'

const saying = (more: object = {}): Saying => ({
  model: 'alias',
  id: '0191-7',
  created: 5,
  request: readChatRequest({ model: 'alias', messages: [{ role: 'user', content: 'a' }], ...more }),
  usageWanted: true,
})

const CITATION = {
  url: 'https://x.example',
  title: null,
  quote: 'q',
  start: null,
  end: null,
  own: { origin: 'messages', value: {} },
} as const

const CONTENT: readonly Part[] = [
  { type: 'reasoning', text: 'th', signature: { origin: 'messages', value: 'sig' } },
  { type: 'reasoning', text: '', signature: { origin: 'messages', value: '' }, redacted: 'red' },
  { type: 'text', text: 'say ' },
  { type: 'text', text: 'it', citations: [CITATION] },
  { type: 'tool_call', id: '', name: 'f', arguments: '' },
  { type: 'tool_call', id: 'b', name: 'g', arguments: '{"x":1.0}', signature: { origin: 'gemini', value: 'gs' } },
]

const answer = (content: readonly Part[], more: Partial<ChatAnswer> = {}): ChatAnswer => ({
  kind: 'chat',
  id: '',
  created: null,
  choices: [
    { index: 0, content, finish: { reason: 'tool_calls', own: 'tool_use', stopSequence: null }, logprobs: null },
  ],
  usage: { ...NO_USAGE, inputTokens: 9, cachedInputTokens: 4, outputTokens: 3, source: 'PROVIDER' },
  serviceTier: 'standard',
  systemFingerprint: null,
  ...more,
})

const write = (said: ChatAnswer, more: object = {}) => JSON.parse(chatWriter.answer(said, saying(more)))

/** As a provider streams the same, its texts in pieces of one character. */
function partsOf({ choices: [choice], usage }: ChatAnswer): StreamPart[] {
  const parts: StreamPart[] = [
    { type: 'start', id: '', created: null, usage: null, serviceTier: 'standard', systemFingerprint: null },
  ]
  for (const [block, part] of choice!.content.entries()) {
    const at = { choice: 0, block }
    if (part.type === 'text') {
      for (const citation of part.citations ?? []) parts.push({ type: 'citation', ...at, citation })
      for (const text of part.text) parts.push({ type: 'text', ...at, text })
    } else if (part.type === 'reasoning') {
      if (part.redacted !== undefined) parts.push({ type: 'redacted', ...at, data: part.redacted, origin: 'messages' })
      for (const text of part.text) parts.push({ type: 'reasoning', ...at, text })
      if (part.text !== '' && part.signature) parts.push({ type: 'signature', ...at, signature: part.signature })
    } else if (part.type === 'tool_call') {
      parts.push({ type: 'tool_call', ...at, id: part.id, name: part.name })
      if (part.signature) parts.push({ type: 'signature', ...at, signature: part.signature })
      for (const text of part.arguments) parts.push({ type: 'arguments', ...at, text })
    } else if (part.type === 'refusal') {
      parts.push({ type: 'refusal', ...at, text: part.text })
    }
  }
  parts.push({ type: 'finish', choice: 0, finish: choice!.finish }, { type: 'usage', usage: usage! }, { type: 'done' })
  return parts
}

function stream(said: ChatAnswer, more: object = {}, wanted = true): string {
  const writer = chatWriter.stream({ ...saying(more), usageWanted: wanted })
  return partsOf(said)
    .map((part) => (part.type === 'usage' ? writer.usage(part.usage) : writer.take(part)))
    .join('')
}

const chunksOf = (events: string): any[] =>
  events
    .split('\n\n')
    .filter((event) => event !== '' && !event.includes('[DONE]'))
    .map((event) => JSON.parse(event.slice('data: '.length)))

describe('an answer', () => {
  it('says all that OpenAI has words for', () => {
    assert.deepEqual(write(answer(CONTENT)), {
      id: 'chatcmpl-01917',
      object: 'chat.completion',
      created: 5,
      model: 'alias',
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: 'say it',
            refusal: null,
            reasoning_content: 'th',
            reasoning_details: [
              {
                type: 'reasoning.text',
                text: 'th',
                signature: 'mr1.messages.sig',
                format: 'anthropic-claude-v1',
                index: 0,
              },
              { type: 'reasoning.encrypted', data: 'mr1.messages.red', format: 'anthropic-claude-v1', index: 1 },
            ],
            annotations: [
              {
                type: 'url_citation',
                url_citation: {
                  url: 'https://x.example',
                  title: 'https://x.example',
                  start_index: 4,
                  end_index: 6,
                  content: 'q',
                },
              },
            ],
            tool_calls: [
              { id: 'call_01917_0_0', type: 'function', function: { name: 'f', arguments: '{}' } },
              {
                id: 'b',
                type: 'function',
                function: { name: 'g', arguments: '{"x":1.0}' },
                extra_content: { google: { thought_signature: 'gs' } },
              },
            ],
          },
          logprobs: null,
          finish_reason: 'tool_calls',
          native_finish_reason: 'tool_use',
        },
      ],
      usage: {
        prompt_tokens: 9,
        completion_tokens: 3,
        total_tokens: 12,
        prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0, cache_write_tokens: 0 },
        completion_tokens_details: {
          reasoning_tokens: 0,
          audio_tokens: 0,
          accepted_prediction_tokens: 0,
          rejected_prediction_tokens: 0,
        },
      },
      service_tier: 'default',
    })
  })

  it('comes back as the history that it is', () => {
    const { message } = write(answer(CONTENT)).choices[0]
    const results = message.tool_calls.map(({ id }: { id: string }) => ({
      role: 'tool',
      tool_call_id: id,
      content: 'r',
    }))
    const { messages } = readChatRequest({
      model: 'm',
      messages: [{ role: 'user', content: 'a' }, message, ...results],
    })
    assert.deepEqual(messages[1]!.content, [
      CONTENT[0],
      CONTENT[1],
      { type: 'text', text: 'say it' },
      { ...CONTENT[4], id: 'call_01917_0_0', arguments: '{}' },
      CONTENT[5],
    ])
  })

  it('calls functions for who asks in the old way', () => {
    const { message, finish_reason: reason } = write(answer(CONTENT.slice(-1)), { functions: [{ name: 'g' }] })
      .choices[0]
    assert.deepEqual([message.function_call, message.tool_calls], [{ name: 'g', arguments: '{"x":1.0}' }, undefined])
    assert.equal(reason, 'function_call')
  })

  it('tells images, recordings and refusals', () => {
    const { message } = write(
      answer([
        { type: 'image', source: { from: 'data', mediaType: 'image/png', data: 'AAAA' } },
        { type: 'audio', data: 'BBBB', format: 'wav', transcript: 't' },
        { type: 'refusal', text: 'no' },
      ]),
    ).choices[0]
    assert.deepEqual(message.images, [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }])
    assert.deepEqual(message.audio, { id: 'audio_0191-7', expires_at: 5, data: 'BBBB', transcript: 't' })
    assert.deepEqual([message.content, message.refusal], [null, 'no'])
  })
})

describe('a stream', () => {
  it('says the same, its role first and its usage last', () => {
    const chunks = chunksOf(stream(answer(CONTENT)))
    assert.deepEqual(chunks[0].choices[0].delta, { role: 'assistant', content: '', refusal: null })
    assert.deepEqual([chunks.at(-1).choices, chunks.at(-1).usage.total_tokens], [[], 12])
    assert.equal(chunks.at(-2).choices[0].finish_reason, 'tool_calls')
    const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }: any) => delta))
    const whole = write(answer(CONTENT)).choices[0].message
    const text = (name: string): string => deltas.map((delta) => delta[name] ?? '').join('')
    assert.deepEqual([text('content'), text('reasoning_content')], [whole.content, whole.reasoning_content])
    assert.deepEqual(
      deltas.flatMap(({ annotations = [] }) => annotations),
      whole.annotations,
    )
    const calls = [0, 1].map((index) =>
      deltas.flatMap(({ tool_calls: told = [] }) => told.filter((call: any) => call.index === index)),
    )
    assert.deepEqual(
      calls.map((pieces) => pieces.map((piece) => piece.function?.arguments ?? '').join('')),
      ['{}', '{"x":1.0}'],
    )
    assert.deepEqual(
      calls.map(([{ id }]) => id),
      ['call_01917_0_0', 'b'],
    )
  })

  it('comes back as the history that it is, its details gathered', () => {
    const deltas = chunksOf(stream(answer(CONTENT))).flatMap(({ choices }) => choices.map(({ delta }: any) => delta))
    const details = deltas.flatMap(({ reasoning_details: told = [] }) => told)
    const message = { role: 'assistant', content: 'say it', reasoning_content: 'th', reasoning_details: details }
    const { messages } = readChatRequest({ model: 'm', messages: [{ role: 'user', content: 'a' }, message] })
    assert.deepEqual(messages[1]!.content.slice(0, 2), CONTENT.slice(0, 2))
  })

  it('tells no usage that is not wanted', () => assert.ok(!stream(answer(CONTENT), {}, false).includes('"usage"')))

  it('calls functions for who asks in the old way', () => {
    const chunks = chunksOf(stream(answer(CONTENT.slice(-1)), { functions: [{ name: 'g' }] }))
    const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }: any) => delta.function_call)).filter(Boolean)
    assert.deepEqual(
      [
        deltas[0],
        deltas
          .slice(1)
          .map((each: any) => each.arguments)
          .join(''),
      ],
      [{ name: 'g', arguments: '' }, '{"x":1.0}'],
    )
  })

  it('tells the arguments of several calls by turns, as they come', () => {
    const at = (block: number) => ({ choice: 0, block })
    const writer = chatWriter.stream(saying())
    const parts: StreamPart[] = [
      { type: 'tool_call', ...at(0), id: 'a', name: 'f' },
      { type: 'tool_call', ...at(1), id: 'b', name: 'g' },
      { type: 'tool_call', ...at(2), id: 'c', name: 'h' },
      { type: 'arguments', ...at(0), text: '{"x":' },
      { type: 'arguments', ...at(1), text: '{"y":2}' },
      { type: 'arguments', ...at(0), text: '1}' },
      { type: 'finish', choice: 0, finish: { reason: 'tool_calls', own: null, stopSequence: null } },
      { type: 'done' },
    ]
    const whole = JSON.parse(foldChatStream(parts.map((part) => writer.take(part)).join(''))!)
    const calls: { function: { arguments: string } }[] = whole.choices[0].message.tool_calls
    assert.deepEqual(
      calls.map((call) => call.function.arguments),
      ['{"x":1}', '{"y":2}', '{}'],
    )
  })

  it('can be kept, and told whole', () => {
    const content = [CONTENT[0]!, CONTENT[2]!, CONTENT[5]!]
    const folded = JSON.parse(foldChatStream(Buffer.from(stream(answer(content))).toString('latin1'))!)
    const whole = write(answer(content))
    assert.deepEqual(folded.choices[0].message.tool_calls, whole.choices[0].message.tool_calls)
    assert.deepEqual(folded.choices[0].message.reasoning_details, whole.choices[0].message.reasoning_details)
    assert.deepEqual(folded.usage, whole.usage)
  })
})
