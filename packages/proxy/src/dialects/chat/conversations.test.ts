import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { NO_PARAMS, type Message } from '../../canonical/request.ts'
import { readChatRequest } from './request-read.ts'
import { chatWire } from './wire.ts'

const REQUEST = {
  ...readChatRequest({ model: 'm', messages: [] }),
  system: [{ type: 'text' as const, text: 's' }],
  params: NO_PARAMS,
}

describe('a conversation', () => {
  const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(model, { noNullPrototype: true })
  const text = fc.string({ minLength: 1, unit: 'binary' })
  const textPart = record({ type: fc.constant('text' as const), text })
  const image = record({
    type: fc.constant('image' as const),
    source: fc.oneof(
      record({ from: fc.constant('url' as const), url: fc.webUrl() }),
      record({
        from: fc.constant('data' as const),
        mediaType: fc.constantFrom('image/png', 'image/jpeg'),
        data: fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes).toString('base64')),
      }),
    ),
  })
  const call = record({
    type: fc.constant('tool_call' as const),
    id: fc.uuid(),
    name: fc.stringMatching(/^[a-z_]{1,20}$/),
    arguments: fc.json(),
  })
  const turn = record({
    asked: fc.array(fc.oneof(textPart, image), { minLength: 1, maxLength: 4 }),
    said: fc.option(textPart, { nil: null }),
    calls: fc.array(call, { maxLength: 3 }),
    result: text,
  }).map(({ asked, said, calls, result }): Message[] => [
    { role: 'user', content: asked },
    { role: 'assistant', content: [...(said === null ? [] : [said]), ...calls] },
    {
      role: 'user',
      content: calls.map(({ id, name }) => ({
        type: 'tool_result' as const,
        id,
        name,
        content: [{ type: 'text' as const, text: result }],
      })),
    },
  ])

  it('comes back as it was, through OpenAI’s own words', () => {
    fc.assert(
      fc.property(fc.array(turn, { minLength: 1, maxLength: 3 }), (turns) => {
        const messages = joined(turns.flat().filter(({ content }) => content.length > 0))
        const { body } = chatWire().encode({ ...REQUEST, messages }, { model: 'm', stream: false })
        assert.deepEqual(readChatRequest(JSON.parse(body)).messages, messages)
      }),
    )
  })
})

/** As readers give them: roles alternate. */
function joined(messages: readonly Message[]): Message[] {
  const result: Message[] = []
  for (const message of messages) {
    const last = result.at(-1)
    if (last?.role === message.role)
      result[result.length - 1] = { ...last, content: [...last.content, ...message.content] }
    else result.push(message)
  }
  return result
}
