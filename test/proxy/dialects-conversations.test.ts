/** Conversations of several turns through another API: what the provider gets of what it said before. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { PATHS, question, TALKERS, type Talker } from './dialects/clients.ts'
import { aliasOf, KIND, SIGNING, type Kind } from './dialects/kinds.ts'
import { speaking } from './dialects/provider.ts'
import type { Json } from './dialects/said.ts'
import { useDialects } from './dialects/scene.ts'
import { CONCLUSION, PARAMETERS, RESULT, SIGNATURE, thinkingOfTools } from './dialects/tools.ts'

const scene = useDialects()
const THOUGHT = 'The weather is wanted.'

/** What asks for thoughts, and offers a tool. */
const ASKING: Readonly<Record<Talker, Readonly<Record<string, unknown>>>> = {
  chat: {
    reasoning_effort: 'low',
    tools: [{ type: 'function', function: { name: 'weather', parameters: PARAMETERS } }],
  },
  responses: {
    reasoning: { effort: 'low', summary: 'auto' },
    include: ['reasoning.encrypted_content'],
    store: false,
    input: [{ role: 'user', content: 'Say hello.' }],
    tools: [{ type: 'function', name: 'weather', parameters: PARAMETERS, strict: false }],
  },
  messages: {
    max_tokens: 8_000,
    thinking: { type: 'enabled', budget_tokens: 2_000 },
    tools: [{ name: 'weather', input_schema: PARAMETERS }],
  },
}

/** The request of the turn after an answer, as each API's documentation has clients send it. */
function nextTurn(client: Talker, request: Json, answer: Json): Json {
  if (client === 'chat') {
    const { message } = answer.choices[0]
    const results = message.tool_calls.map(({ id }: Json) => ({ role: 'tool', tool_call_id: id, content: RESULT }))
    return { ...request, messages: [...request.messages, message, ...results] }
  }
  if (client === 'responses') {
    const calls = answer.output.filter(({ type }: Json) => type === 'function_call')
    const results = calls.map(({ call_id }: Json) => ({ type: 'function_call_output', call_id, output: RESULT }))
    return { ...request, input: [...request.input, ...answer.output, ...results] }
  }
  const calls = answer.content.filter(({ type }: Json) => type === 'tool_use')
  const results = calls.map(({ id }: Json) => ({ type: 'tool_result', tool_use_id: id, content: RESULT }))
  const turn = [
    { role: 'assistant', content: answer.content },
    { role: 'user', content: results },
  ]
  return { ...request, messages: [...request.messages, ...turn] }
}

/** Both turns. @returns what the provider was asked in the second */
async function converse(client: Talker, first: string, second: string): Promise<{ sent: Json; text: string }> {
  scene.upstream.otherwise = speaking(thinkingOfTools)
  const request = question(client, first, ASKING[client])
  const begun = await scene.post(PATHS[client], request)
  assert.equal(begun.status, 200, begun.text)
  assert.ok(begun.text.includes(THOUGHT), 'the client reads of the thoughts')
  const next = nextTurn(client, { ...request, model: second }, JSON.parse(begun.text))
  const ended = await scene.post(PATHS[client], next)
  assert.equal(ended.status, 200, ended.text)
  assert.ok(ended.text.includes(CONCLUSION))
  const { json, body } = scene.upstream.last
  return { sent: json, text: body.toString() }
}

/** What must stand in the second request of each kind, by its API's own documentation. */
const HELD: Readonly<Partial<Record<Kind, (sent: Json) => void>>> = {
  ANTHROPIC({ messages: [, assistant, user] }) {
    const [thinking, call] = assistant.content
    assert.deepEqual(thinking, { type: 'thinking', thinking: THOUGHT, signature: SIGNATURE })
    assert.deepEqual([call.type, call.name, call.input.city], ['tool_use', 'weather', 'Oslo'])
    assert.deepEqual([user.content[0].type, user.content[0].tool_use_id], ['tool_result', call.id])
  },
  GEMINI({ contents: [, model, user] }) {
    const call = model.parts.find((part: Json) => part.functionCall)
    assert.equal(call.thoughtSignature, SIGNATURE)
    assert.deepEqual([call.functionCall.name, call.functionCall.args.city], ['weather', 'Oslo'])
    const { functionResponse } = user.parts[0]
    assert.equal(functionResponse.name, 'weather')
    assert.ok(JSON.stringify(functionResponse.response).includes(RESULT))
  },
  BEDROCK({ messages: [, assistant, user] }) {
    const [thinking, call] = assistant.content
    assert.deepEqual(thinking.reasoningContent.reasoningText, { text: THOUGHT, signature: SIGNATURE })
    assert.deepEqual([call.toolUse.name, call.toolUse.input.city], ['weather', 'Oslo'])
    assert.equal(user.content[0].toolResult.toolUseId, call.toolUse.toolUseId)
  },
  OPENAI_RESPONSES({ input }) {
    const of = (type: string): Json => input.find((item: Json) => item.type === type)
    assert.equal(of('reasoning').encrypted_content, SIGNATURE)
    assert.equal(of('function_call').name, 'weather')
    assert.equal(of('function_call_output').call_id, of('function_call').call_id)
    assert.equal(of('function_call_output').output, RESULT)
  },
  OPENAI_COMPATIBLE({ messages: [, assistant, result] }) {
    assert.equal(assistant.tool_calls[0].function.name, 'weather')
    assert.deepEqual([result.role, result.tool_call_id], ['tool', assistant.tool_calls[0].id])
    assert.equal(result.content, RESULT)
  },
}

for (const client of TALKERS) {
  describe(`${client}, in two turns`, () => {
    for (const [kind, check] of Object.entries(HELD) as [Kind, (sent: Json) => void][]) {
      test(`with ${kind}: it gets back what it thought, signed`, async () => {
        const { sent, text } = await converse(client, aliasOf(kind), aliasOf(kind))
        check(sent)
        assert.ok(!text.includes('mr1.'), 'what the gateway adds to a signature does not reach a provider')
      })
    }

    for (const kind of SIGNING) {
      // What comes from a client in its own API goes on as it is.
      for (const other of SIGNING.filter((one) => one !== kind && KIND[one].speaks !== client)) {
        test(`with ${kind}, then ${other}: no signature of the one reaches the other`, async () => {
          const { text } = await converse(client, aliasOf(kind), aliasOf(other))
          assert.ok(!text.includes(SIGNATURE) && !text.includes('mr1.'), text)
          assert.ok(text.includes(RESULT) && text.includes('Oslo'))
        })
      }
    }
  })
}
