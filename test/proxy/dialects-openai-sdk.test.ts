/** The official `openai` SDK against every kind of provider. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { APIError } from 'openai'
import { makeParseableResponseFormat, makeParseableTextFormat } from 'openai/lib/parser'

import { assertAnswerForm } from './dialects/clients.ts'
import { aliasOf, embeddingAliasOf, KIND, KINDS, type Kind } from './dialects/kinds.ts'
import { COUNTED, speaking, VECTOR } from './dialects/provider.ts'
import { saidByEvents } from './dialects/said-events.ts'
import { saidBy, type Json, type Said } from './dialects/said.ts'
import { assertSame } from './dialects/same.ts'
import { SCENARIOS, toldIn, type ScenarioName } from './dialects/scenarios.ts'
import { useDialects } from './dialects/scene.ts'
import { callingTools, CONCLUSION, PARAMETERS, RESULT, SCHEMA, structured } from './dialects/tools.ts'

const scene = useDialects()
const messages = [{ role: 'user' as const, content: 'How is the weather in Oslo?' }]
const SPOKEN_SCENARIOS: readonly ScenarioName[] = [
  'text',
  'unicode',
  'parallel calls',
  'reasoning',
  'cut off by length',
]
/** SIMULATED answers in words of its own. */
const ASKED = KINDS.filter((kind) => kind !== 'SIMULATED')
const WITHOUT_EMBEDDINGS: readonly Kind[] = ['ANTHROPIC']

for (const kind of ASKED) {
  const model = aliasOf(kind)
  const told = (name: ScenarioName): Said => toldIn(KIND[kind].speaks, SCENARIOS[name])

  describe(`chat completions at ${kind}`, () => {
    for (const name of SPOKEN_SCENARIOS) {
      test(name, async () => {
        scene.upstream.otherwise = speaking(() => SCENARIOS[name])
        const completion = await scene.openai.chat.completions.create({ model, messages })
        assertAnswerForm('chat', completion)
        assertSame('chat', saidBy('chat', completion), told(name))
      })

      test(`${name}, streamed`, async () => {
        scene.upstream.otherwise = speaking(() => SCENARIOS[name])
        const stream = scene.openai.chat.completions.stream({
          model,
          messages,
          stream_options: { include_usage: true },
        })
        const chunks: Json[] = []
        stream.on('chunk', (chunk) => chunks.push(structuredClone(chunk)))
        const completion = await stream.finalChatCompletion()
        assertSame('chat', saidByEvents('chat', chunks), told(name))
        // The SDK's own sum keeps the last piece of what it does not know, such as reasoning.
        assertSame('chat', { ...saidBy('chat', completion), reasoning: told(name).reasoning }, told(name))
      })
    }

    for (const stream of [false, true]) {
      test(`tools are run${stream ? ', streamed' : ''}`, async () => {
        scene.upstream.otherwise = speaking(callingTools)
        const called: unknown[] = []
        const tool = {
          type: 'function' as const,
          function: {
            name: 'weather',
            description: 'Tells the weather.',
            parameters: PARAMETERS,
            parse: JSON.parse,
            function: (args: unknown) => {
              called.push(args)
              return RESULT
            },
          },
        }
        const request = { model, messages, tools: [tool] }
        const { completions } = scene.openai.chat
        const runner = stream ? completions.runTools({ ...request, stream: true }) : completions.runTools(request)
        assert.equal(await runner.finalContent(), CONCLUSION)
        assert.deepEqual(
          called.map((args) => (args as { city: string }).city),
          ['Oslo', 'Rome'],
        )
        const sent = scene.upstream.last.body.toString()
        assert.equal(sent.split(RESULT).length - 1, 2, 'both results are sent')
        assert.ok(sent.includes('123456789012345678901'), 'numbers keep their digits')
      })
    }

    test('structured output', async () => {
      scene.upstream.otherwise = speaking(structured)
      const json = { name: 'verdict', schema: SCHEMA, strict: true }
      const format = makeParseableResponseFormat({ type: 'json_schema', json_schema: json }, JSON.parse)
      const request = { model, messages, response_format: format }
      const { choices } = await scene.openai.chat.completions.parse(request)
      assert.deepEqual(choices[0]!.message.parsed, { answer: 42, sure: true })
      assert.equal(choices[0]!.finish_reason, 'stop')
      const streamed = await scene.openai.chat.completions.stream(request).finalChatCompletion()
      assert.deepEqual(streamed.choices[0]!.message.parsed, { answer: 42, sure: true })
      assert.equal(streamed.choices[0]!.finish_reason, 'stop')
    })
  })

  describe(`responses at ${kind}`, () => {
    for (const name of SPOKEN_SCENARIOS) {
      test(name, async () => {
        scene.upstream.otherwise = speaking(() => SCENARIOS[name])
        const response = await scene.openai.responses.create({ model, input: 'Hello.', store: false })
        const { output_text: text, ...plain } = response
        assert.equal(text, told(name).text)
        assertSame('responses', saidBy('responses', plain), told(name))
      })

      test(`${name}, streamed`, async () => {
        scene.upstream.otherwise = speaking(() => SCENARIOS[name])
        const stream = scene.openai.responses.stream({ model, input: 'Hello.', store: false })
        const response = await stream.finalResponse()
        assert.equal(response.output_text, told(name).text)
        assertSame('responses', saidBy('responses', response), told(name))
      })
    }

    test('tools are called, and their results taken', async () => {
      scene.upstream.otherwise = speaking(callingTools)
      const tools = [{ type: 'function' as const, name: 'weather', parameters: PARAMETERS, strict: true }]
      const asked = [{ role: 'user' as const, content: 'How is the weather?' }]
      const { output } = await scene.openai.responses.create({ model, input: asked, tools, store: false })
      const calls = output.filter((item) => item.type === 'function_call')
      assert.equal(calls.length, 2)
      const results = calls.map(({ call_id }) => ({ type: 'function_call_output' as const, call_id, output: RESULT }))
      const input = [...asked, ...output, ...results] as Json
      const second = await scene.openai.responses.create({ model, input, tools, store: false })
      assert.equal(second.output_text, CONCLUSION)
      assert.equal(scene.upstream.last.body.toString().split(RESULT).length - 1, 2)
    })

    test('structured output', async () => {
      scene.upstream.otherwise = speaking(structured)
      const plain = { type: 'json_schema' as const, name: 'verdict', schema: SCHEMA, strict: true }
      const request = {
        model,
        input: 'Sure?',
        text: { format: makeParseableTextFormat(plain, JSON.parse) },
        store: false,
      }
      const response = await scene.openai.responses.parse(request)
      assert.deepEqual(response.output_parsed, { answer: 42, sure: true })
      const streamed = await scene.openai.responses.stream(request).finalResponse()
      assert.deepEqual(streamed.output_parsed, { answer: 42, sure: true })
    })
  })

  describe(`completions at ${kind}`, () => {
    test('text', async () => {
      scene.upstream.otherwise = speaking()
      const { choices, usage } = await scene.openai.completions.create({ model, prompt: 'Hello' })
      assert.deepEqual([choices[0]!.text, choices[0]!.finish_reason], ['Hello from there.', 'stop'])
      assert.equal(usage!.prompt_tokens, 21)
    })

    test('text, streamed', async () => {
      scene.upstream.otherwise = speaking()
      let text = ''
      let finish: string | null = null
      const stream = await scene.openai.completions.create({ model, prompt: 'Hello', stream: true })
      for await (const { choices } of stream) {
        text += choices[0]?.text ?? ''
        finish = choices[0]?.finish_reason ?? finish
      }
      assert.deepEqual([text, finish], ['Hello from there.', 'stop'])
    })
  })
}

for (const kind of ASKED) {
  const model = embeddingAliasOf(kind)
  describe(`embeddings at ${kind}`, () => {
    if (WITHOUT_EMBEDDINGS.includes(kind)) {
      test('are refused', async () => {
        await assert.rejects(scene.openai.embeddings.create({ model, input: 'Text.' }), (error) => {
          assert.ok(error instanceof APIError)
          assert.deepEqual([error.status, error.code, error.param], [400, 'unsupported_endpoint', 'model'])
          return true
        })
      })
      return
    }
    // The SDK asks for base64 unless told, and reads it.
    for (const encoding of [undefined, 'float', 'base64'] as const) {
      test(`as ${encoding ?? 'the SDK likes them'}`, async () => {
        scene.upstream.otherwise = speaking()
        // Amazon's own models take one text a request.
        const input = kind === 'BEDROCK' ? ['One text.'] : ['One text.', 'Another.']
        const format = encoding === undefined ? {} : { encoding_format: encoding }
        const { data, usage } = await scene.openai.embeddings.create({ model, input, ...format })
        const told: Json[] = data.map(({ embedding }) => embedding)
        const read = encoding === 'base64' ? told.map(floats) : told
        assert.deepEqual(
          read,
          input.map(() => VECTOR),
        )
        assert.deepEqual(
          data.map(({ index }) => index),
          [...input.keys()],
        )
        assert.equal(usage.prompt_tokens, COUNTED)
      })
    }
  })
}

function floats(base64: string): number[] {
  const bytes = Buffer.from(base64, 'base64')
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4))
}

describe('SIMULATED', () => {
  const model = aliasOf('SIMULATED')
  const REPLY = /^Hello from Millrace/

  test('answers each of them', async () => {
    const { openai } = scene
    const chat = await openai.chat.completions.create({ model, messages })
    assert.match(chat.choices[0]!.message.content!, REPLY)
    assert.match((await openai.chat.completions.stream({ model, messages }).finalContent())!, REPLY)
    assert.match((await openai.responses.create({ model, input: 'Hello.' })).output_text, REPLY)
    assert.match((await openai.responses.stream({ model, input: 'Hello.' }).finalResponse()).output_text, REPLY)
    assert.match((await openai.completions.create({ model, prompt: 'Hello' })).choices[0]!.text, REPLY)
    const { data } = await openai.embeddings.create({ model, input: ['One text.', 'Another.'] })
    assert.equal(data.length, 2)
  })
})
