/** Any conversation that Gemini can be told, told to it and read back. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import type { Part } from '../../canonical/content.ts'
import { PLAIN_REQUEST } from '../../canonical/request.fixture.ts'
import { NO_PARAMS, type ChatRequest, type Message, type Tool } from '../../canonical/request.ts'
import { generateWire } from './wire.ts'

const NEWER = 'gemini-3-flash-preview'
const OLDER = 'gemini-2.5-flash'
const DUMMY = 'skip_thought_signature_validator'

type Json = Record<string, any>

/** What a body says, in the common form. */
function readBack(body: Json, customs: ReadonlySet<string>): Json {
  return {
    system: (body.systemInstruction?.parts ?? []).map(({ text }: Json) => ({ type: 'text', text })),
    messages: body.contents.map(({ role, parts }: Json) => ({
      role: role === 'model' ? 'assistant' : 'user',
      content: parts.flatMap((part: Json) => partsOf(part, customs)),
    })),
    tools: (body.tools?.[0].functionDeclarations ?? []).map(({ name, description, parametersJsonSchema }: Json) => ({
      name,
      description: description ?? null,
      parameters: parametersJsonSchema ?? null,
    })),
    config: body.generationConfig ?? {},
  }
}

function partsOf(part: Json, customs: ReadonlySet<string>): Json[] {
  const signature = part.thoughtSignature === undefined ? null : { origin: 'gemini', value: part.thoughtSignature }
  if (part.thought) return [{ type: 'reasoning', text: part.text, signature }]
  if (part.functionCall) {
    const { id, name, args } = part.functionCall
    const custom = customs.has(name)
    const signed = signature === null || signature.value === DUMMY ? {} : { signature }
    const kind = custom ? { kind: 'custom' } : {}
    return [{ type: 'tool_call', id, name, arguments: custom ? args.input : JSON.stringify(args), ...kind, ...signed }]
  }
  if (part.functionResponse) {
    const { id, name, response, parts = [] } = part.functionResponse
    const isError = 'error' in response
    const media = parts.flatMap((one: Json) => partsOf(one, customs))
    const content = [{ type: 'text', text: response.error ?? response.output }, ...media]
    return [{ type: 'tool_result', id, name, content, ...(isError ? { isError } : {}) }]
  }
  return [plainOf(part), ...(signature === null ? [] : [{ type: 'reasoning', text: '', signature }])]
}

function plainOf({ text, inlineData, fileData }: Json): Json {
  if (text !== undefined) return { type: 'text', text }
  const { mimeType, data = null, fileUri = null } = inlineData ?? fileData
  if (mimeType.startsWith('audio/')) return { type: 'audio', data, format: mimeType.slice('audio/'.length) }
  const source = data === null ? { from: 'url', url: fileUri } : { from: 'data', mediaType: mimeType, data }
  return { type: mimeType.startsWith('image/') ? 'image' : 'file', source }
}

const text = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: 'binary', minLength: 1 }))
const base64 = fc.base64String({ minLength: 4 })
const signature = base64.map((value) => ({ origin: 'gemini' as const, value }))
const textPart = text.map((one): Part => ({ type: 'text', text: one }))
const drawn = base64.map((data): Part => ({ type: 'image', source: { from: 'data', mediaType: 'image/png', data } }))
const image = fc.oneof(
  drawn,
  fc
    .constantFrom('jpg', 'webp', 'png?size=2', 'gif#x')
    .map((ending): Part => ({ type: 'image', source: { from: 'url', url: `https://example.com/a.${ending}` } })),
)
const userPart = fc.oneof(
  textPart,
  image,
  fc
    .tuple(base64, fc.constantFrom('wav', 'mp3', 'flac'))
    .map(([data, format]): Part => ({ type: 'audio', data, format })),
  base64.map((data): Part => ({ type: 'file', source: { from: 'data', mediaType: 'application/pdf', data } })),
)
const said = fc.oneof(
  textPart.map((part) => [part]),
  fc.tuple(textPart, signature).map(([part, one]): Part[] => [part, { type: 'reasoning', text: '', signature: one }]),
  fc.tuple(text, signature).map(([one, sign]): Part[] => [{ type: 'reasoning', text: one, signature: sign }]),
)
const call = fc.record({
  tool: fc.nat(),
  args: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(fc.string(), fc.integer(), fc.boolean()), {
    maxKeys: 4,
    noNullPrototype: true,
  }),
  signature: fc.option(signature),
  result: text,
  isError: fc.boolean(),
  image: fc.option(drawn),
})
const turn = fc.record({
  asked: fc.array(userPart, { minLength: 1, maxLength: 4 }),
  said: fc.array(said, { minLength: 1, maxLength: 3 }).map((parts) => parts.flat()),
  calls: fc.array(call, { maxLength: 3 }),
})
const tool = fc.record({
  type: fc.constantFrom('function', 'custom'),
  description: fc.option(text),
  properties: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.constant({ type: 'string' }), {
    noNullPrototype: true,
  }),
})
const conversation = fc.record({
  newer: fc.boolean(),
  system: fc.array(text, { maxLength: 3 }),
  tools: fc.array(tool, { minLength: 1, maxLength: 4 }),
  turns: fc.array(turn, { minLength: 1, maxLength: 4 }),
  last: fc.array(userPart, { minLength: 1, maxLength: 3 }),
  maxTokens: fc.option(fc.integer({ min: 1, max: 100_000 })),
  temperature: fc.option(fc.double({ min: 0, max: 2, noNaN: true }).map((value) => value + 0)),
  topK: fc.option(fc.integer({ min: 1, max: 100 })),
  seed: fc.option(fc.integer({ min: 0, max: 2_147_483_647 })),
  stop: fc.option(fc.array(text, { minLength: 1, maxLength: 5 })),
})

type Conversation = typeof conversation extends fc.Arbitrary<infer T> ? T : never

function requestOf({ newer, system, tools, turns, last, ...params }: Conversation): ChatRequest {
  const messages: Message[] = []
  let waiting: Part[] = []
  for (const [i, { asked, said: told, calls }] of turns.entries()) {
    messages.push({ role: 'user', content: [...waiting, ...asked] })
    waiting = []
    const content: Part[] = [...told]
    for (const [j, { tool: which, args, signature: sign, result, isError, image: picture }] of calls.entries()) {
      const [id, index] = [`call_${i}_${j}`, which % tools.length]
      const [custom, name] = [tools[index]!.type === 'custom', `tool_${index}`]
      const json = JSON.stringify(args)
      content.push({
        type: 'tool_call',
        id,
        name,
        arguments: json,
        ...(custom ? { kind: 'custom' as const } : {}),
        ...(sign === null ? {} : { signature: sign }),
      })
      waiting.push({
        type: 'tool_result',
        id,
        name,
        content: [
          {
            type: 'text',
            text: result,
          },
          ...(newer && picture?.type === 'image' ? [picture] : []),
        ],
        ...(isError ? { isError } : {}),
      })
    }
    messages.push({ role: 'assistant', content })
  }
  return {
    ...PLAIN_REQUEST,
    system: system.map((one) => ({ type: 'text', text: one })),
    messages: [...messages, { role: 'user', content: [...waiting, ...last] }],
    tools: tools.map(({ type, description, properties }, i): Tool => {
      const name = `tool_${i}`
      if (type === 'custom') return { type, name, description, format: null }
      return { type: 'function', name, description, parameters: { type: 'object', properties }, strict: null }
    }),
    params: { ...NO_PARAMS, ...params },
  }
}

const ANY_TEXT = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }

describe('a conversation that is told to Gemini', () => {
  it('says what it said', () => {
    fc.assert(
      fc.property(conversation, (made) => {
        const request = requestOf(made)
        const encoded = generateWire.encode(request, { model: made.newer ? NEWER : OLDER, stream: false })
        const customs = new Set(request.tools.filter(({ type }) => type === 'custom').map(({ name }) => name))
        const back = readBack(JSON.parse(encoded.body), customs)
        assert.deepEqual(encoded.dropped, [])
        assert.deepEqual(back.system, request.system)
        assert.deepEqual(back.messages, request.messages)
        assert.deepEqual(
          back.tools,
          request.tools.map((one) => ({
            name: one.name,
            description: one.type === 'own' ? null : one.description,
            parameters: one.type === 'function' ? one.parameters : ANY_TEXT,
          })),
        )
        const { maxTokens, temperature, topK, seed, stop } = made
        const asked = { maxOutputTokens: maxTokens, temperature, topK, stopSequences: stop, seed }
        assert.deepEqual(back.config, Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null)))
      }),
    )
  })
})
