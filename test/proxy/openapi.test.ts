/**
 * All that Millrace itself makes for OpenAI's clients is as OpenAI describes it. (What it makes of other providers' answers is
 * held to the same in dialects-scenarios.test.ts, dialects-answers.test.ts and dialects-streams.test.ts.)
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { send } from '../helpers/http.ts'
import { assertDescribed, openApiMissing } from '../helpers/openapi.ts'
import { heard, heardStream, PATHS, question, streamedQuestion, type Client } from './dialects/clients.ts'
import { assertFailed, failingIn, refusalIn } from './dialects/error-forms.ts'
import { twoChoices } from './dialects/fixtures.ts'
import { aliasOf, embeddingAliasOf, type Kind } from './dialects/kinds.ts'
import { speaking } from './dialects/provider.ts'
import { replayAnswer } from './dialects/replay.ts'
import { SCENARIOS } from './dialects/scenarios.ts'
import { useDialects } from './dialects/scene.ts'
import { eventsIn } from './dialects/speakers-events.ts'

const scene = useDialects()
const OPENAI_CLIENTS = ['chat', 'responses', 'completions'] as const satisfies readonly Client[]

describe("OpenAI's description", { skip: openApiMissing }, () => {
  test('refuses what it does not describe', () => {
    assert.throws(() => assertDescribed('CreateChatCompletionResponse', { id: 'x', object: 'chat.completion' }))
    assert.throws(() => assertDescribed('ErrorResponse', { error: { message: 'No.' } }))
    assert.throws(() => assertDescribed('ResponseErrorEvent', { type: 'error', message: 'No.' }))
  })

  for (const client of OPENAI_CLIENTS) {
    test(`has what SIMULATED answers to ${client}`, async () => {
      const model = aliasOf('SIMULATED')
      for (const more of [{}, { metadata: { a: 'b' } }, { temperature: 0.5, top_p: 1, user: 'me' }]) {
        heard(client, await scene.post(PATHS[client], question(client, model, more)), true)
        heardStream(client, await scene.post(PATHS[client], streamedQuestion(client, model, more)), true)
      }
    })
  }

  const ASKED: Readonly<Record<string, object>> = {
    'a schema': {
      text: { format: { type: 'json_schema', name: 'verdict', schema: { type: 'object' }, strict: false } },
    },
    tools: {
      tools: [
        { type: 'function', name: 'weather', parameters: { type: 'object' }, strict: true },
        { type: 'function', name: 'now', parameters: null, strict: false, description: 'Tells the time.' },
      ],
      tool_choice: { type: 'function', name: 'weather' },
      parallel_tool_calls: false,
    },
    parameters: {
      instructions: 'Be short.',
      temperature: 0.2,
      top_p: 0.9,
      max_output_tokens: 100,
      metadata: { a: 'b' },
      reasoning: { effort: 'high', summary: 'detailed' },
      truncation: 'disabled',
      service_tier: 'auto',
      store: false,
      user: 'me',
      safety_identifier: 'me',
      prompt_cache_key: 'key',
    },
    'a conversation': {
      instructions: [{ role: 'system', content: 'Be short.' }],
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'Hello.' }] },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Yes?', annotations: [] }] },
        { role: 'user', content: 'Go on.' },
      ],
    },
  }

  for (const kind of ['ANTHROPIC', 'GEMINI', 'BEDROCK', 'OPENAI_COMPATIBLE'] as const satisfies readonly Kind[]) {
    for (const [name, more] of Object.entries(ASKED)) {
      test(`has the response that repeats ${name}, of ${kind}`, async () => {
        scene.upstream.otherwise = speaking(() => SCENARIOS['text before calls'])
        const body = question('responses', aliasOf(kind), more as Readonly<Record<string, unknown>>)
        const answer = await scene.post(PATHS.responses, body)
        if (answer.status === 400 && name === 'a conversation')
          return assertDescribed('ErrorResponse', JSON.parse(answer.text))
        heard('responses', answer, true)
        heardStream('responses', await scene.post(PATHS.responses, { ...body, stream: true }), true)
      })
    }

    test(`has embeddings of ${kind}, or that there are none`, async () => {
      scene.upstream.otherwise = speaking()
      for (const encoding of ['float', 'base64']) {
        const body = { model: embeddingAliasOf(kind), input: 'Some text.', encoding_format: encoding }
        const answer = await scene.post('/v1/embeddings', body)
        const told = JSON.parse(answer.text)
        if (kind === 'ANTHROPIC') assertDescribed('ErrorResponse', told)
        // Of base64 it says nothing, though OpenAI's SDKs ask for it.
        else if (encoding === 'float') assertDescribed('CreateEmbeddingResponse', told)
      }
    })
  }

  test('has several choices', async () => {
    const { answer } = await scene.ask(
      replayAnswer(twoChoices.gemini),
      PATHS.chat,
      question('chat', aliasOf('GEMINI'), { n: 2 }),
    )
    heard('chat', answer, true)
  })

  test('has the models', async () => {
    const headers = { authorization: `Bearer ${scene.snapshot.token}` }
    const list = await send(`${scene.proxy.url}/v1/models`, { method: 'GET', headers })
    assertDescribed('ListModelsResponse', JSON.parse(list.text))
    const one = await send(`${scene.proxy.url}/v1/models/${aliasOf('GEMINI')}`, { method: 'GET', headers })
    assertDescribed('Model', JSON.parse(one.text))
  })

  for (const client of ['chat', 'responses', 'completions'] as const) {
    test(`has the errors of ${client}`, async () => {
      const { upstream } = scene
      upstream.otherwise = refusalIn('gemini', 500)
      const model = aliasOf('GEMINI')
      const requests: readonly (readonly [number, string | object])[] = [
        [400, '{'],
        [400, {}],
        [400, { model }],
        [404, question(client, 'no-such-model')],
        [502, question(client, model)],
        [502, streamedQuestion(client, model)],
      ]
      for (const [status, body] of requests) {
        const answer = await scene.post(PATHS[client], body)
        assert.equal(answer.status, status, answer.text)
        assertDescribed('ErrorResponse', JSON.parse(answer.text))
      }
      const unknown = await send(scene.proxy.url + PATHS[client], { body: '{}' })
      assert.equal(unknown.status, 401)
      assertDescribed('ErrorResponse', JSON.parse(unknown.text))
    })
  }

  for (const client of ['chat', 'responses'] as const) {
    test(`has the error in a stream of ${client}`, async () => {
      const lines = eventsIn('gemini', SCENARIOS.text).slice(0, 2)
      const body = streamedQuestion(client, aliasOf('GEMINI'))
      assertFailed(client, (await scene.ask(failingIn('gemini', lines), PATHS[client], body)).answer)
    })
  }
})
