/** The official `@anthropic-ai/sdk` against every kind of provider. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { Message, MessageParam } from '@anthropic-ai/sdk/resources/messages'

import { aliasOf, KINDS, SIGNING, type Kind } from './dialects/kinds.ts'
import { COUNTED, speaking } from './dialects/provider.ts'
import { saidBy } from './dialects/said.ts'
import { assertSame } from './dialects/same.ts'
import { saidOf, SCENARIOS, type ScenarioName } from './dialects/scenarios.ts'
import { useDialects } from './dialects/scene.ts'
import { callingTools, CONCLUSION, PARAMETERS, RESULT, SIGNATURE, thinkingOfTools } from './dialects/tools.ts'

const scene = useDialects()
const messages: MessageParam[] = [{ role: 'user', content: 'How is the weather in Oslo?' }]
const tools = [
  { name: 'weather', description: 'Tells the weather.', input_schema: { ...PARAMETERS, type: 'object' as const } },
]
const SPOKEN_SCENARIOS: readonly ScenarioName[] = [
  'text',
  'unicode',
  'parallel calls',
  'a call without arguments',
  'reasoning',
  'cut off by length',
]
const ASKED = KINDS.filter((kind) => kind !== 'SIMULATED')
const COUNTING: readonly Kind[] = ['ANTHROPIC', 'GEMINI', 'BEDROCK']

/** The next turn: what was answered, and the results of its calls. */
function answered(before: readonly MessageParam[], { content }: Message): MessageParam[] {
  const results = content
    .filter((block) => block.type === 'tool_use')
    .map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: RESULT }))
  return [...before, { role: 'assistant', content }, { role: 'user', content: results }]
}

function textOf({ content }: Message): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
}

for (const kind of ASKED) {
  const model = aliasOf(kind)
  const create = (more: object, stream: boolean): Promise<Message> => {
    const request = { model, max_tokens: 4_000, messages, ...more }
    return stream ? scene.anthropic.messages.stream(request).finalMessage() : scene.anthropic.messages.create(request)
  }

  describe(`messages at ${kind}`, () => {
    for (const stream of [false, true]) {
      const streamed = stream ? ', streamed' : ''

      for (const name of SPOKEN_SCENARIOS) {
        test(name + streamed, async () => {
          scene.upstream.otherwise = speaking(() => SCENARIOS[name])
          const message = await create({}, stream)
          assert.deepEqual([message.type, message.role, message.model], ['message', 'assistant', model])
          assert.ok(message.id.length > 0)
          assertSame('messages', saidBy('messages', message), saidOf(SCENARIOS[name]))
        })
      }

      test(`tools are called, and their results taken${streamed}`, async () => {
        scene.upstream.otherwise = speaking(callingTools)
        const first = await create({ tools }, stream)
        assert.equal(first.stop_reason, 'tool_use')
        const second = await create({ tools, messages: answered(messages, first) }, stream)
        assert.equal(textOf(second), CONCLUSION)
        const sent = scene.upstream.last.body.toString()
        assert.equal(sent.split(RESULT).length - 1, 2, 'both results are sent')
      })

      test(`thoughts go back to who thought them${streamed}`, async () => {
        scene.upstream.otherwise = speaking(thinkingOfTools)
        const thinking = { type: 'enabled' as const, budget_tokens: 2_000 }
        const first = await create({ tools, thinking }, stream)
        assert.equal(first.content[0]!.type, 'thinking')
        const second = await create({ tools, thinking, messages: answered(messages, first) }, stream)
        assert.equal(textOf(second), CONCLUSION)
        const sent = scene.upstream.last.body.toString()
        assert.equal(sent.includes(`"${SIGNATURE}"`), SIGNING.includes(kind), sent)
      })
    }
  })
}

for (const kind of ASKED) {
  test(`beta messages at ${kind}`, async () => {
    scene.upstream.otherwise = speaking()
    const beta = [{ role: 'user' as const, content: 'Hello.' }]
    const request = { model: aliasOf(kind), max_tokens: 100, messages: beta, betas: ['context-1m-2025-08-07'] }
    const message = await scene.anthropic.beta.messages.create(request)
    assert.equal(message.stop_reason, 'end_turn')
    // A feature of Anthropic's is for Anthropic.
    const { headers } = scene.upstream.last
    assert.equal(headers['anthropic-beta'], kind === 'ANTHROPIC' ? 'context-1m-2025-08-07' : undefined)
    const streamed = await scene.anthropic.beta.messages.stream(request).finalMessage()
    assert.equal(streamed.stop_reason, 'end_turn')
  })
}

for (const kind of KINDS) {
  test(`count_tokens at ${kind}`, async () => {
    scene.upstream.otherwise = speaking()
    const asked = scene.upstream.requests.length
    const { input_tokens: tokens } = await scene.anthropic.messages.countTokens({ model: aliasOf(kind), messages })
    if (COUNTING.includes(kind)) assert.equal(tokens, COUNTED)
    else {
      assert.ok(tokens > 1 && tokens < 100, `an estimate: ${tokens}`)
      assert.equal(scene.upstream.requests.length, asked)
    }
  })
}

test('SIMULATED answers messages', async () => {
  const request = { model: aliasOf('SIMULATED'), max_tokens: 100, messages }
  assert.match(textOf(await scene.anthropic.messages.create(request)), /^Hello from Millrace/)
  assert.match(textOf(await scene.anthropic.messages.stream(request).finalMessage()), /^Hello from Millrace/)
})
