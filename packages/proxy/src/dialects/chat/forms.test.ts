/** The two forms of random answers, made of each other. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { utf8FromLatin1 } from '../../stream/json.ts'
import { foldChatStream } from './fold.ts'
import { unfoldChatAnswer } from './unfold.ts'

type Json = Record<string, unknown>

const RUNS = { numRuns: 500 }
const bytes = (text: string): string => Buffer.from(text).toString('latin1')
const read = (text: string | null): any => text !== null && JSON.parse(utf8FromLatin1(text))

/** Every UTF-16 unit may come, halves of pairs included, and what JSON or events would have escaped. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\n', '\r', 'é', '日', '😀', '\ud83d', '\ude00', '\u2028', ' ', 'data: '),
  }),
)
const token = fc.record({ token: text, logprob: fc.double({ noNaN: true, noDefaultInfinity: true }) })
const tokens = fc.option(fc.array(token, { maxLength: 3 }))
const fields = { id: text, type: fc.constantFrom('function', 'custom') }
const call = fc.record({ ...fields, function: fc.record({ name: text, arguments: text }) })
const logprobs = fc.option(fc.record({ content: tokens, refusal: tokens }))
const reason = fc.constantFrom('stop', 'length', 'tool_calls', 'content_filter')
/** Of names that neither form knows. */
const others = fc.dictionary(fc.stringMatching(/^x_[a-zé]{0,5}$/), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
const common = {
  id: text,
  created: fc.nat(),
  model: text,
  system_fingerprint: fc.option(text),
  service_tier: text,
}

const message = fc
  .record(
    {
      content: fc.option(text),
      refusal: fc.option(text),
      reasoning_content: text,
      tool_calls: fc.array(call, { minLength: 1, maxLength: 3 }),
      function_call: fc.record({ name: text, arguments: text }),
      audio: fc.record({ id: text, data: fc.base64String(), transcript: text, expires_at: fc.nat() }),
      annotations: fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 3 }),
    },
    { requiredKeys: ['content'] },
  )
  .map((members) => ({ role: 'assistant', ...members }))

const completion = fc
  .record({
    common: fc.record(common, { requiredKeys: ['id', 'created', 'model'] }),
    choices: fc.array(
      fc
        .record({ message, others, reason, logprobs })
        .map(({ reason: finish_reason, ...rest }) => ({ ...rest, finish_reason })),
      { minLength: 1, maxLength: 3 },
    ),
    others,
    usage: fc.option(fc.record({ prompt_tokens: fc.nat(), completion_tokens: fc.nat() }), { nil: undefined }),
  })
  .map(({ common: shared, choices, others: more, usage }) => ({
    ...shared,
    object: 'chat.completion',
    choices: choices.map(({ others: added, ...choice }, index) => ({ index, ...choice, ...added })),
    ...more,
    ...(usage ? { usage } : {}),
  }))

describe('a random answer', () => {
  it('is the same when it is streamed and put together again', () => {
    fc.assert(
      fc.property(completion, fc.constantFrom(0, 1, 2), (answer, indent) => {
        const form = unfoldChatAnswer(bytes(JSON.stringify(answer, null, indent)))
        assert.ok(form)
        assert.equal(form.ends.at(-1), form.events.length)
        assert.deepEqual(read(foldChatStream(form.events)), JSON.parse(JSON.stringify(answer)))
      }),
      RUNS,
    )
  })
})

/** An array of the text's pieces, cut anywhere: within pairs of surrogates too. */
const cut = (whole: string): fc.Arbitrary<string[]> =>
  fc
    .array(fc.nat(whole.length), { maxLength: 4 })
    .map((places) => [0, ...places.sort((a, b) => a - b), whole.length])
    .map((places) => places.slice(1).map((end, i) => whole.slice(places[i], end)))

/** The deltas of a message, each text of it cut into pieces. */
const streamed = message.chain(({ role, tool_calls: calls = [], ...members }) => {
  const parts: fc.Arbitrary<Json[]>[] = []
  const pieces = (whole: string, wrap: (piece: string) => Json): void => {
    parts.push(cut(whole).map((found) => found.map(wrap)))
  }
  const { content, refusal, reasoning_content: reasoning, function_call: called, audio, annotations } = members
  if (typeof content === 'string') pieces(content, (piece) => ({ content: piece }))
  if (typeof refusal === 'string') pieces(refusal, (piece) => ({ refusal: piece }))
  if (reasoning !== undefined) pieces(reasoning, (piece) => ({ reasoning_content: piece }))
  if (called) {
    parts.push(fc.constant([{ function_call: { ...called, arguments: '' } }]))
    pieces(called.arguments, (piece) => ({ function_call: { arguments: piece } }))
  }
  if (audio) {
    const { data, ...rest } = audio
    parts.push(fc.constant([{ audio: { ...rest, data: '' } }]))
    pieces(data, (piece) => ({ audio: { data: piece } }))
  }
  if (annotations) parts.push(fc.constant([{ annotations: [] }, ...annotations.map((one) => ({ annotations: [one] }))]))
  for (const [index, one] of calls.entries()) {
    const begun = { index, ...one, function: { ...one.function, arguments: '' } }
    parts.push(fc.constant([{ tool_calls: [begun] }]))
    pieces(one.function.arguments, (piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] }))
  }
  const nulls = { content: null, ...(refusal === null ? { refusal } : {}) }
  return fc.tuple(...parts).map((found) => ({
    message: { role, ...members, ...(calls.length > 0 ? { tool_calls: calls } : {}) } as Json,
    deltas: [{ role, ...nulls }, ...found.flat()],
  }))
})

const FRAMINGS: readonly ((json: string, lines: string[]) => string)[] = [
  (json) => `data: ${json}\n\n`,
  (json) => `data:${json}\r\n\r\n`,
  (_, lines) => `${lines.map((line) => `data: ${line}\n`).join('')}\n`,
  (json) => `: ping\n\nid: 1\ndata: ${json}\n\n`,
]

describe('a random stream', () => {
  it('is the answer that it was cut of, however it was', () => {
    const stream = fc.record({
      choices: fc.array(fc.record({ streamed, reason }), { minLength: 1, maxLength: 3 }),
      order: fc.array(fc.nat(2)),
      framing: fc.constantFrom(...FRAMINGS),
      padding: fc.option(fc.array(fc.stringMatching(/^\w{0,3}$/), { minLength: 1 })),
      blank: fc.boolean(),
      mark: fc.boolean(),
    })
    fc.assert(
      fc.property(stream, ({ choices, order, framing, padding, blank, mark }) => {
        const queues = choices.map(({ streamed: { deltas }, reason: end }, index) => [
          ...deltas.map((delta) => ({ index, delta, finish_reason: null as string | null })),
          { index, delta: {}, finish_reason: end },
        ])
        const turns = [...order.map((i) => queues[i]?.shift()), ...queues.flatMap((queue) => queue)]
        const events = turns
          .filter((choice) => choice !== undefined)
          .map((choice, i) => ({
            id: 'x',
            object: 'chat.completion.chunk',
            choices: [choice],
            ...(padding ? { obfuscation: padding[i % padding.length] } : {}),
          }))
          .map((chunk) => framing(JSON.stringify(chunk), JSON.stringify(chunk, null, 1).split('\n')))
        const whole = `${mark ? '\ufeff' : ''}${events.join('')}data: [DONE]${blank ? '\n\n' : ''}`
        assert.deepEqual(read(foldChatStream(bytes(whole))), {
          id: 'x',
          object: 'chat.completion',
          choices: choices.map(({ streamed: told, reason: end }, index) => ({
            index,
            message: JSON.parse(JSON.stringify(told.message)),
            finish_reason: end,
          })),
        })
      }),
      RUNS,
    )
  })
})
