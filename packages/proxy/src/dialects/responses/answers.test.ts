import assert from 'node:assert/strict'
import { test } from 'node:test'

import { NO_USAGE } from '@millrace/shared'
import fc from 'fast-check'

import type { ChatAnswer, Finish, StreamPart } from '../../canonical/answer.ts'
import type { Part, Signature } from '../../canonical/content.ts'
import type { JsonObject } from '../../canonical/values.ts'
import { EventSplitter, eventData, eventName } from '../../stream/events.ts'
import { readResponse } from './answer-read.ts'
import { responsesWriter } from './answer-write.ts'
import { foldResponsesStream } from './fold.ts'
import { readResponsesRequest } from './request-read.ts'
import { ResponsesStreamReader } from './stream-read.ts'
import { unfoldResponse } from './unfold.ts'

const SAYING = {
  model: 'alias',
  id: '019a9999-0000-7000-8000-00000000000a',
  created: 1_700_000_000,
  request: readResponsesRequest({ input: 'x', instructions: 'Be short.', metadata: { a: 'b' }, temperature: 0.5 }),
  usageWanted: true,
}
const USAGE = {
  ...NO_USAGE,
  inputTokens: 20,
  outputTokens: 9,
  cachedInputTokens: 5,
  reasoningTokens: 4,
  source: 'PROVIDER' as const,
}
const STOP: Finish = { reason: 'stop', own: null, stopSequence: null }

function answerOf(content: readonly Part[], finish: Finish = STOP): ChatAnswer {
  return {
    kind: 'chat',
    id: 'msg_of_another',
    created: 1_700_000_001,
    choices: [{ index: 0, content, finish, logprobs: null }],
    usage: USAGE,
    serviceTier: null,
    systemFingerprint: null,
  }
}

/** As readers of other APIs would tell it. */
function partsOf({ choices: [choice], id, created, usage }: ChatAnswer): StreamPart[] {
  const parts: StreamPart[] = [{ type: 'start', id, created, usage: null, serviceTier: null, systemFingerprint: null }]
  for (const [block, part] of choice!.content.entries()) parts.push(...deltasOf(part, block))
  parts.push({ type: 'finish', choice: 0, finish: choice!.finish })
  if (usage) parts.push({ type: 'usage', usage })
  return [...parts, { type: 'done' }]
}

function deltasOf(part: Part, block: number): StreamPart[] {
  const at = { choice: 0, block }
  switch (part.type) {
    case 'text':
      return [
        ...halves(part.text).map((text) => ({ type: 'text' as const, ...at, text })),
        ...(part.citations ?? []).map((citation) => ({ type: 'citation' as const, ...at, citation })),
      ]
    case 'refusal':
      return halves(part.text).map((text) => ({ type: 'refusal' as const, ...at, text }))
    case 'reasoning':
      return [
        ...halves(part.text).map((text) => ({ type: 'reasoning' as const, ...at, text })),
        ...(part.redacted === undefined
          ? []
          : [{ type: 'redacted' as const, ...at, data: part.redacted, origin: part.signature!.origin }]),
        ...(part.signature ? [{ type: 'signature' as const, ...at, signature: part.signature }] : []),
      ]
    case 'tool_call':
      return [
        { type: 'tool_call', ...at, id: part.id, name: part.name, ...(part.kind && { kind: part.kind }) },
        ...halves(part.arguments).map((text) => ({ type: 'arguments' as const, ...at, text })),
        ...(part.signature ? [{ type: 'signature' as const, ...at, signature: part.signature }] : []),
      ]
    default:
      return [{ type: 'part', ...at, part }]
  }
}

function halves(text: string): string[] {
  const middle = text.length >> 1
  return [text.slice(0, middle), text.slice(middle)].filter((half) => half !== '')
}

function streamed(parts: readonly StreamPart[]): string {
  const writer = responsesWriter.stream(SAYING)
  return parts.map((part) => (part.type === 'usage' ? writer.usage(part.usage) : writer.take(part as never))).join('')
}

function eventsOf(text: string): { name: string; data: any }[] {
  const splitter = new EventSplitter()
  splitter.push(text)
  const events = []
  while (splitter.next()) {
    const event = splitter.text.slice(splitter.start, splitter.end)
    events.push({ name: eventName(event), data: JSON.parse(eventData(event)!) })
  }
  assert.equal(splitter.rest(), '')
  return events
}

function without({ completed_at: _, ...response }: JsonObject): JsonObject {
  return response
}

/** The reader's parts, put together by block. */
function contentOf(parts: readonly StreamPart[]): unknown[] {
  const blocks = new Map<number, any>()
  for (const part of parts) {
    if (!('block' in part)) continue
    const block = blocks.get(part.block) ?? {}
    blocks.set(part.block, block)
    if (part.type === 'part') Object.assign(block, part.part)
    else if (part.type === 'tool_call') {
      const { choice: _, block: __, ...call } = part
      Object.assign(block, call, { arguments: '' })
    } else if (part.type === 'arguments') block.arguments += part.text
    else if (part.type === 'signature') block.signature = part.signature
    else if (part.type === 'citation') (block.citations ??= []).push(part.citation)
    else if ('text' in part) {
      block.type = part.type
      block.text = (block.text ?? '') + part.text
      if (part.type === 'reasoning') {
        block.signature ??= null
        if (part.summary === true && block.text !== '') block.summary = true
      }
    }
  }
  return [...blocks.values()]
}

const text = fc.string({ minLength: 1, unit: 'binary' })
const origin = fc.constantFrom<Signature['origin']>('chat', 'messages', 'gemini', 'converse')
const signature = fc.record({ origin, value: text }, { noNullPrototype: true })
const part = fc.oneof(
  text.map((value): Part => ({ type: 'text', text: value })),
  text.map((value): Part => ({
    type: 'text',
    text: value,
    citations: [
      {
        url: 'https://a.example/',
        title: 'A',
        quote: null,
        start: 0,
        end: 1,
        own: { origin: 'messages', value: {} },
      },
    ],
  })),
  text.map((value): Part => ({ type: 'refusal', text: value })),
  fc
    .record({ text, signature: fc.option(signature) }, { noNullPrototype: true })
    .map((thought): Part => ({ type: 'reasoning', ...thought })),
  fc.record({ redacted: text, origin }).map((one): Part => ({
    type: 'reasoning',
    text: '',
    redacted: one.redacted,
    signature: { origin: one.origin, value: '' },
  })),
  fc
    .record({
      id: fc.uuid(),
      name: fc.stringMatching(/^[a-z]{1,9}$/),
      args: fc.dictionary(fc.string(), fc.jsonValue()).map((args) => JSON.stringify(args)),
      custom: fc.boolean(),
      signature: fc.option(signature),
    })
    .map((one): Part => ({
      type: 'tool_call',
      id: one.id,
      name: one.name,
      arguments: one.args,
      ...(one.custom && { kind: 'custom' as const }),
      ...(one.signature && { signature: one.signature }),
    })),
  fc.constant<Part>({ type: 'image', source: { from: 'data', mediaType: 'image/png', data: 'aGk=' } }),
)
const content = fc.array(part, { maxLength: 7 })
const finish = fc
  .constantFrom<Finish['reason']>('stop', 'length', 'content_filter', 'tool_calls', 'pause', 'unknown')
  .map((reason): Finish => ({ ...STOP, reason }))

test('a streamed answer ends with the response that it would have been unstreamed', () => {
  fc.assert(
    fc.property(content, finish, (parts, end) => {
      const answer = answerOf(parts, end)
      const events = eventsOf(streamed(partsOf(answer)))
      const whole = JSON.parse(responsesWriter.answer(answer, SAYING)) as JsonObject
      assert.deepEqual(without(events.at(-1)!.data.response), without(whole))
    }),
    { numRuns: 300 },
  )
})

test('each event is numbered, named as its type, and of an item that was added and is not done', () => {
  fc.assert(
    fc.property(content, (parts) => {
      const events = eventsOf(streamed(partsOf(answerOf(parts))))
      assert.deepEqual(
        events.slice(0, 2).map(({ name }) => name),
        ['response.created', 'response.in_progress'],
      )
      // Calls may go on when others have begun: their arguments come by turns from some.
      const open = new Map<number, string>()
      let next = 0
      for (const [i, { name, data }] of events.entries()) {
        assert.equal(data.type, name)
        assert.equal(data.sequence_number, i)
        if (name === 'response.output_item.added') {
          assert.ok([...open.values()].every((type) => type === 'function_call'))
          assert.equal(data.output_index, next)
          open.set(next++, data.item.type)
        } else if (data.output_index !== undefined) assert.ok(open.has(data.output_index))
        if (name === 'response.output_item.done') open.delete(data.output_index)
      }
      assert.equal(open.size, 0)
    }),
  )
})

test('what a client sends back of an answer is what the provider said, its signatures with the text that they are of', () => {
  fc.assert(
    fc.property(content, (parts) => {
      const { output } = JSON.parse(responsesWriter.answer(answerOf(parts), SAYING))
      // Some keep nothing of a thought but what is for its provider.
      const signed = new Set(parts.flatMap((one) => (one.type === 'reasoning' && one.signature ? [one.text] : [])))
      for (const item of output) if (signed.has(item.summary?.[0]?.text)) item.summary = []
      const { messages } = readResponsesRequest({ input: [{ role: 'user', content: 'x' }, ...output] })
      const expected = parts
        .filter(({ type }) => type !== 'image')
        .map((one): unknown => {
          if (one.type === 'text') return one.text
          return one
        })
      const got = (messages[1]?.content ?? [])
        .filter((one) => one.type !== 'own')
        .map((one) => (one.type === 'text' ? one.text : one))
      assert.deepEqual(got, expected)
    }),
    { numRuns: 300 },
  )
})

test('a written answer is read as what it says, streamed, unstreamed and unfolded', () => {
  fc.assert(
    fc.property(content, (parts) => {
      const answer = answerOf(parts)
      const json = responsesWriter.answer(answer, SAYING)
      const read = readResponse(JSON.parse(json)) as ChatAnswer
      assert.deepEqual(read.usage, USAGE)
      const unfolded = unfoldResponse(Buffer.from(json).toString('latin1'))!
      for (const events of [streamed(partsOf(answer)), Buffer.from(unfolded.events, 'latin1').toString('utf8')]) {
        const reader = new ResponsesStreamReader()
        const told = eventsOf(events).flatMap(({ name, data }) => reader.take(JSON.stringify(data), name))
        assert.deepEqual(contentOf(told), read.choices[0]!.content)
        assert.deepEqual(
          told.slice(-3).map(({ type }) => type),
          ['finish', 'usage', 'done'],
        )
        assert.deepEqual(told.at(-3), { type: 'finish', choice: 0, finish: read.choices[0]!.finish })
      }
      assert.equal(foldResponsesStream(unfolded.events), Buffer.from(json).toString('latin1'))
    }),
    { numRuns: 300 },
  )
})
