/** A conversation made at random, put to Converse and read back from there by a reader of the test's own, is the same. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import type { Part, ReasoningPart } from '../../canonical/content.ts'
import { PLAIN_REQUEST } from '../../canonical/request.fixture.ts'
import type { ChatRequest, FunctionTool, Message } from '../../canonical/request.ts'
import { readAnswer } from './answer-read.ts'
import { encodeRequest, type Memo } from './request-write.ts'

const MODEL = 'anthropic.claude-sonnet-4-20250514-v1:0'

const said = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => text.trim() !== '')
const aText = said.map((text): Part => ({ type: 'text', text }))
const base64 = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const image = fc
  .record({ mediaType: fc.constantFrom('image/png', 'image/jpeg', 'image/gif', 'image/webp'), data: base64 })
  .map((source): Part => ({ type: 'image', source: { from: 'data', ...source } }))
const file = fc
  .record({ mediaType: fc.constantFrom('application/pdf', 'text/csv', 'text/html', 'text/plain'), data: base64 })
  .map((source): Part => ({ type: 'file', source: { from: 'data', ...source }, filename: 'a' }))
const thought = fc.oneof(
  fc
    .record({ text: fc.string(), value: fc.string({ minLength: 1 }) })
    .map(({ text, value }): ReasoningPart => ({ type: 'reasoning', text, signature: { origin: 'converse', value } })),
  base64.map((redacted): ReasoningPart => ({
    type: 'reasoning',
    text: '',
    signature: { origin: 'converse', value: '' },
    redacted,
  })),
)
const aName = fc.oneof(fc.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/), fc.string({ minLength: 1, unit: 'grapheme' }))
const input = fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value))

interface Exchange {
  readonly asked: readonly Part[]
  readonly thoughts: readonly ReasoningPart[]
  readonly answered: readonly Part[]
  readonly calls: readonly {
    readonly id: string
    readonly name: string
    readonly args: string
    readonly got: readonly Part[]
  }[]
}

const exchange: fc.Arbitrary<Exchange> = fc.record({
  asked: fc
    .array(fc.oneof(aText, image, file), { maxLength: 3 })
    .chain((parts) => aText.map((last) => [...parts, last])),
  thoughts: fc.array(thought, { maxLength: 2 }),
  answered: fc.array(aText, { minLength: 1, maxLength: 2 }),
  calls: fc.uniqueArray(
    fc.record({
      id: aName,
      name: aName,
      args: input,
      got: fc.array(fc.oneof(aText, image), { minLength: 1, maxLength: 2 }),
    }),
    { maxLength: 3, selector: ({ id }) => id },
  ),
})

/** As readers of clients' requests make them: turns alternate, and results stand first. */
function messagesOf(exchanges: readonly Exchange[]): Message[] {
  const messages: Message[] = []
  let results: Part[] = []
  for (const { asked, thoughts, answered, calls } of exchanges) {
    messages.push({ role: 'user', content: [...results, ...asked] })
    const called = calls.map(({ id, name, args }): Part => ({ type: 'tool_call', id, name, arguments: args }))
    messages.push({ role: 'assistant', content: [...thoughts, ...answered, ...called] })
    results = calls.map(({ id, got }): Part => ({ type: 'tool_result', id, content: got as [] }))
  }
  messages.push({ role: 'user', content: [...results, { type: 'text', text: 'Go on.' }] })
  return messages
}

/** What a body says, read here by hand. Ids are numbered as they come. */
class BodyReader {
  readonly #ids = new Map<string, number>()
  readonly #names: Memo['names']

  constructor(names: Memo['names']) {
    this.#names = names
  }

  message({ role, content }: any): object {
    return { role, content: content.map((block: any) => this.#part(block)) }
  }

  #part(block: any): object {
    const [[kind, value]] = Object.entries(block) as [[string, any]]
    switch (kind) {
      case 'text':
        return { type: 'text', text: value }
      case 'image':
        return { type: 'image', mediaType: `image/${value.format}`, data: value.source.bytes }
      case 'document':
        return { type: 'file', format: value.format, data: value.source.bytes }
      case 'reasoningContent':
        return value.redactedContent === undefined
          ? { type: 'reasoning', ...value.reasoningText }
          : { type: 'reasoning', redacted: value.redactedContent }
      case 'toolUse':
        assert.match(value.toolUseId, /^[a-zA-Z0-9_-]{1,64}$/)
        assert.match(value.name, /^[a-zA-Z0-9_-]{1,64}$/)
        return { type: 'tool_call', id: this.#id(value.toolUseId), input: value.input, name: this.name(value.name) }
      case 'toolResult':
        return {
          type: 'tool_result',
          id: this.#id(value.toolUseId),
          content: value.content.map((one: any) => this.#part(one)),
        }
      default:
        return assert.fail(kind)
    }
  }

  name(sent: string): string {
    return this.#names?.get(sent) ?? sent
  }

  #id(id: string): number {
    if (!this.#ids.has(id)) this.#ids.set(id, this.#ids.size)
    return this.#ids.get(id)!
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'text/html': 'html',
  'text/plain': 'txt',
}

/** The same of what was asked for. */
function expected(messages: readonly Message[]): object[] {
  const ids = new Map<string, number>()
  const idOf = (id: string) => {
    if (!ids.has(id)) ids.set(id, ids.size)
    return ids.get(id)
  }
  const partOf = (part: any): object => {
    switch (part.type) {
      case 'text':
        return part
      case 'image':
        return { type: 'image', mediaType: part.source.mediaType, data: part.source.data }
      case 'file':
        return { type: 'file', format: FORMATS[part.source.mediaType], data: part.source.data }
      case 'reasoning':
        return part.redacted === undefined
          ? { type: 'reasoning', text: part.text, signature: part.signature.value }
          : { type: 'reasoning', redacted: part.redacted }
      case 'tool_call':
        return { type: 'tool_call', id: idOf(part.id), input: JSON.parse(part.arguments), name: part.name }
      default:
        return { type: 'tool_result', id: idOf(part.id), content: part.content.map(partOf) }
    }
  }
  return messages.map(({ role, content }) => ({ role, content: content.map(partOf) }))
}

function asking(messages: readonly Message[], tools: readonly FunctionTool[], system: readonly string[]): ChatRequest {
  return {
    ...PLAIN_REQUEST,
    system: system.map((text) => ({ type: 'text', text })),
    messages,
    tools,
  }
}

describe('a conversation there and back', () => {
  it('keeps what both can say', () => {
    fc.assert(
      fc.property(
        fc.array(exchange, { maxLength: 4 }),
        fc.uniqueArray(aName, { maxLength: 3 }),
        fc.array(said, { maxLength: 2 }),
        (exchanges, toolNames, system) => {
          const messages = messagesOf(exchanges)
          const called = exchanges.flatMap(({ calls }) => calls.map((one) => one.name))
          const tools = [...new Set([...toolNames, ...called])].map((name): FunctionTool => ({
            type: 'function',
            name,
            description: name,
            parameters: null,
            strict: null,
          }))
          const { body, dropped, memo } = encodeRequest(asking(messages, tools, system), MODEL)
          const sent = JSON.parse(body)
          const reader = new BodyReader((memo as Memo).names)
          assert.deepEqual(
            sent.messages.map((message: object) => reader.message(message)),
            expected(messages),
          )
          assert.deepEqual(
            (sent.system ?? []).map((block: { text: string }) => block.text),
            system,
          )
          assert.deepEqual(
            (sent.toolConfig?.tools ?? []).map(({ toolSpec }: any) => reader.name(toolSpec.name)),
            tools.map((tool) => tool.name),
          )
          assert.deepEqual(dropped, [])
        },
      ),
    )
  })

  it('reads the turns of a model as it writes them', () => {
    fc.assert(
      fc.property(exchange, ({ asked, thoughts, answered, calls }) => {
        const called = calls.map(({ id, name, args }): Part => ({ type: 'tool_call', id, name, arguments: args }))
        const content = [...thoughts, ...answered, ...called]
        const messages: Message[] = [
          { role: 'user', content: asked },
          { role: 'assistant', content },
          { role: 'user', content: [{ type: 'text', text: 'Go on.' }] },
        ]
        const { body, memo } = encodeRequest(asking(messages, [], []), MODEL)
        const [, message] = JSON.parse(body).messages
        const read = readAnswer({ output: { message }, stopReason: 'end_turn' }, memo as Memo)!.choices[0]!.content
        const plain = (part: Part) => (part.type === 'tool_call' ? [part.arguments] : part)
        assert.deepEqual(read.map(plain), content.map(plain))
      }),
    )
  })
})
