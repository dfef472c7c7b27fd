/** The APIs that clients speak: what they ask, and what they hear. */
import assert from 'node:assert/strict'

import type { Answer } from '../../helpers/http.ts'
import { assertDescribed, assertResponseEvent, openApiMissing } from '../../helpers/openapi.ts'
import type { Dialect } from './kinds.ts'
import { saidByEvents } from './said-events.ts'
import { saidBy, type Json, type Said } from './said.ts'

export const CLIENTS = ['chat', 'responses', 'messages', 'completions'] as const
export type Client = (typeof CLIENTS)[number]

/** Those in which a conversation can be had. */
export const TALKERS = ['chat', 'responses', 'messages'] as const
export type Talker = (typeof TALKERS)[number]

/** Whose question is put to a provider in an API. Providers that speak OpenAI's take text completions as they come. */
export const CLIENTS_OF: Readonly<Record<Dialect, readonly Client[]>> = {
  chat: TALKERS,
  responses: TALKERS,
  messages: CLIENTS,
  gemini: CLIENTS,
  converse: CLIENTS,
  completions: ['completions'],
  embeddings: [],
}

export const PATHS: Readonly<Record<Client, string>> = {
  chat: '/v1/chat/completions',
  responses: '/v1/responses',
  messages: '/v1/messages',
  completions: '/v1/completions',
}

/** A plain question. @param more over it */
export function question(client: Client, model: string, more: Readonly<Record<string, unknown>> = {}): Json {
  const text = 'Say hello.'
  const messages = [{ role: 'user', content: text }]
  const questions: Readonly<Record<Client, object>> = {
    chat: { messages },
    responses: { input: text },
    messages: { max_tokens: 1_000, messages },
    completions: { prompt: text },
  }
  return { model, ...questions[client], ...more }
}

/** The same, to be answered by a stream that ends with its usage. */
export function streamedQuestion(client: Client, model: string, more: Readonly<Record<string, unknown>> = {}): Json {
  const usage = client === 'chat' || client === 'completions' ? { stream_options: { include_usage: true } } : {}
  return question(client, model, { stream: true, ...usage, ...more })
}

/** What a client hears of a whole answer. @param translated whether Millrace made it: then it is as OpenAI describes it */
export function heard(client: Client, answer: Answer, translated: boolean): Said {
  assert.equal(answer.status, 200, answer.text)
  assert.match(String(answer.headers['content-type']), /^application\/json/)
  const body = JSON.parse(answer.text)
  if (translated) assertAnswerForm(client, body)
  return saidBy(client, body)
}

/** What a client hears of a stream that ends as it must. */
export function heardStream(client: Client, answer: Answer, translated: boolean): Said {
  assert.equal(answer.status, 200, answer.text)
  assert.match(String(answer.headers['content-type']), /^text\/event-stream/)
  const events = eventsOf(answer.text)
  const data = events.map(({ data: text }) => text)
  if (client === 'chat' || client === 'completions') assert.equal(data.pop(), '[DONE]', answer.text.slice(-500))
  const parsed = data.map((text) => JSON.parse(text))
  if (translated) {
    for (const event of parsed) assertEventForm(client, event)
    if (client === 'messages' || client === 'responses') {
      assert.deepEqual(
        events.map(({ name }) => name),
        parsed.map(({ type }) => type),
        'events are named by their types',
      )
    }
    if (client === 'messages') assertMessageOrder(parsed)
    if (client === 'responses') assertResponseOrder(parsed)
  }
  return saidByEvents(client, parsed)
}

export interface HeardEvent {
  readonly name: string
  readonly data: string
}

export function eventsOf(text: string): HeardEvent[] {
  return text
    .split('\n\n')
    .map((event) => ({ name: fieldOf(event, 'event: '), data: fieldOf(event, 'data: ') }))
    .filter(({ data }) => data !== '')
}

/** Lines end in LF alone: a text may have other ends of lines in it. */
function fieldOf(event: string, name: string): string {
  return (
    event
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.slice(name.length) ?? ''
  )
}

const ANSWER_FORMS = {
  chat: 'CreateChatCompletionResponse',
  completions: 'CreateCompletionResponse',
  responses: 'Response',
} as const

/** That OpenAI describes an answer so; Anthropic describes nothing. */
export function assertAnswerForm(client: Client, body: Json): void {
  if (client === 'messages' || openApiMissing) return
  assertDescribed(ANSWER_FORMS[client], body)
}

/** That OpenAI describes an event of a stream so. */
export function assertEventForm(client: Client, event: Json): void {
  if (client === 'messages' || openApiMissing) return
  if (client === 'responses') assertResponseEvent(event)
  else if (client === 'chat') assertDescribed('CreateChatCompletionStreamResponse', event)
  else assertDescribed('CreateCompletionResponse', withFinish(event))
}

/** OpenAI's description has no chunks of text completions; they differ from answers in what is still to come. */
function withFinish(chunk: Json): Json {
  return {
    ...chunk,
    usage: chunk.usage ?? undefined,
    choices: chunk.choices.map((choice: Json) => ({ ...choice, finish_reason: choice.finish_reason ?? 'stop' })),
  }
}

/** message_start, ping, and each block begun, told and ended, one after another; message_delta, message_stop. */
export function assertMessageOrder(events: readonly Json[]): void {
  const order = events.filter(({ type }) => type !== 'ping').map(({ type }) => type as string)
  assert.equal(order[0], 'message_start')
  assert.deepEqual(order.slice(-2), ['message_delta', 'message_stop'])
  assert.ok(
    events.some(({ type }) => type === 'ping'),
    'a ping comes',
  )
  let open: number | null = null
  let next = 0
  for (const { type, index } of events) {
    if (type === 'content_block_start') {
      assert.equal(open, null, 'blocks come one after another')
      assert.equal(index, next++, 'blocks are numbered in order')
      open = index
    } else if (type === 'content_block_delta') {
      assert.equal(index, open, 'what goes on is open')
    } else if (type === 'content_block_stop') {
      assert.equal(index, open)
      open = null
    } else if (type === 'message_delta') assert.equal(open, null, 'every block is ended')
  }
}

/** Numbered from 0, and each thing that is added is done. */
export function assertResponseOrder(events: readonly Json[]): void {
  assert.deepEqual(
    events.map(({ sequence_number: number }) => number),
    events.map((_, index) => index),
  )
  assert.deepEqual(
    events.slice(0, 2).map(({ type }) => type),
    ['response.created', 'response.in_progress'],
  )
  assert.match(events.at(-1).type, /^response\.(?:completed|incomplete|failed)$/)
  const of = (type: string): Json[] => events.filter((event) => event.type === type)
  const ids = (type: string): string[] => of(type).map(({ item, output_index: at }) => `${at} ${item.type} ${item.id}`)
  assert.deepEqual(ids('response.output_item.done').sort(), ids('response.output_item.added').sort())
  assert.equal(of('response.content_part.done').length, of('response.content_part.added').length)
  const done = of('response.output_item.done').sort((a, b) => a.output_index - b.output_index)
  assert.deepEqual(
    events.at(-1).response.output,
    done.map(({ item }) => item),
    'the response that is told at the end has what was done',
  )
}
