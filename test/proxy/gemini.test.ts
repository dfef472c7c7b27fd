/** A GEMINI provider, asked by the official SDKs of others. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import type { ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources'

import { assertError } from '../helpers/error-shape.ts'
import { OWN_KEY, ownCredential, useOwnProxy } from '../helpers/own-proxy.ts'
import { ownAlias, OwnSnapshot, ownProvider, ownRoute } from '../helpers/own-snapshot.ts'
import { events, raw, writeFramed } from '../helpers/upstream/answers.ts'
import type { Behaviour } from '../helpers/upstream/exchange.ts'

const MODEL = 'gemini-3-flash-preview'

const own = useOwnProxy((origin) => {
  const provider = (name: string, baseUrl: string) =>
    ownProvider({ name, kind: 'GEMINI', baseUrl, credentials: [ownCredential()], forcedBreaker: 'FORCED_CLOSED' })
  const providers = [provider('gemini', `${origin}/proxied/v1beta/`), provider('unversioned', origin)]
  return new OwnSnapshot(
    providers,
    providers.map(({ id, name }) => ownAlias({ name, routes: [ownRoute({ providerId: id, providerModel: MODEL })] })),
  )
})

const CHAT = '/v1/chat/completions'
const ASKED = { model: 'gemini', messages: [{ role: 'user' as const, content: 'Say hello.' }] }
const USAGE = { promptTokenCount: 9, candidatesTokenCount: 5, thoughtsTokenCount: 3, totalTokenCount: 17 }

const WEATHER: ChatCompletionTool = {
  type: 'function',
  function: {
    name: 'weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, additionalProperties: false },
  },
}

function piece(parts: readonly object[], more: object = {}): object {
  return {
    candidates: [{ content: { parts, role: 'model' }, index: 0, ...more }],
    usageMetadata: USAGE,
    responseId: 'r1',
  }
}

function whole(parts: readonly object[], more: object = {}): Behaviour {
  return raw(JSON.stringify(piece(parts, { finishReason: 'STOP', ...more })))
}

function streamed(...pieces: readonly object[]): Behaviour {
  return events(
    pieces.map((one) => JSON.stringify(one)),
    { done: null, split: 13 },
  )
}

const END = { finishReason: 'STOP' }

describe('a chat', () => {
  test('is asked in its words, with its key', async () => {
    const { answer, seen } = await own.asked(whole([{ text: 'Hello!' }]), () =>
      own.openai.chat.completions.create({ ...ASKED, max_completion_tokens: 50, reasoning_effort: 'low' }),
    )
    assert.equal(seen.url, `/proxied/v1beta/models/${MODEL}:generateContent`)
    assert.equal(seen.headers['x-goog-api-key'], OWN_KEY)
    assert.deepEqual([seen.headers.authorization, seen.headers['x-stainless-lang']], [undefined, undefined])
    assert.deepEqual(seen.json, {
      contents: [{ role: 'user', parts: [{ text: 'Say hello.' }] }],
      generationConfig: { maxOutputTokens: 50, thinkingConfig: { thinkingLevel: 'low', includeThoughts: true } },
    })
    const [choice] = answer.choices
    assert.deepEqual([answer.model, choice!.message.content, choice!.finish_reason], ['gemini', 'Hello!', 'stop'])
    const { prompt_tokens: input, completion_tokens: output, completion_tokens_details: details } = answer.usage!
    assert.deepEqual([input, output, details?.reasoning_tokens], [9, 8, 3])
  })

  test('is found where the base URL names no version', async () => {
    const { seen } = await own.asked(whole([{ text: 'a' }]), () => own.post(CHAT, { ...ASKED, model: 'unversioned' }))
    assert.equal(seen.url, `/v1beta/models/${MODEL}:generateContent`)
  })

  test('is streamed, wherever it is cut', async () => {
    const { answer, seen } = await own.asked(
      streamed(piece([{ text: 'Grüße' }]), piece([{ text: ', Welt 🌍' }]), piece([{ text: '' }], END)),
      async () => {
        const stream = await own.openai.chat.completions.create({
          ...ASKED,
          stream: true,
          stream_options: { include_usage: true },
        })
        return Array.fromAsync(stream)
      },
    )
    assert.equal(seen.url, `/proxied/v1beta/models/${MODEL}:streamGenerateContent?alt=sse`)
    const text = answer.map(({ choices: [choice] }) => choice?.delta.content ?? '').join('')
    assert.equal(text, 'Grüße, Welt 🌍')
    assert.equal(answer.at(-2)!.choices[0]!.finish_reason, 'stop')
    assert.deepEqual([answer.at(-1)!.usage!.prompt_tokens, answer.at(-1)!.usage!.completion_tokens], [9, 8])
  })

  test('is recorded as it was paid for', async () => {
    const { answer } = await own.asked(whole([{ text: 'a' }]), () => own.post(CHAT, ASKED))
    const { usage, attempts } = await own.recordOf(answer)
    assert.deepEqual(
      [usage.inputTokens, usage.outputTokens, usage.reasoningTokens, usage.source],
      [9, 8, 3, 'PROVIDER'],
    )
    assert.match(attempts[0]!.upstreamUrl!, /\/models\/gemini-3-flash-preview:generateContent$/)
  })

  test('that its client leaves is recorded as far as it is told', async () => {
    const more = { ...USAGE, candidatesTokenCount: 6 }
    const pieces = [piece([{ text: 'a' }]), { ...piece([{ text: 'b' }]), usageMetadata: more }]
    own.upstream.next(async (exchange) => {
      exchange.head(200, { 'content-type': 'text/event-stream' })
      const data = pieces.map((one) => JSON.stringify(one))
      await writeFramed(exchange, data, { done: null })
      await exchange.untilOver()
    })
    using answer = await own.open(CHAT, { ...ASKED, stream: true })
    await answer.until('"b"')
    answer.abort()
    const { status, usage } = await own.recordOf(answer)
    assert.deepEqual([status, usage.outputTokens, usage.source], ['CANCELLED', 9, 'PROVIDER'])
  })

  for (const stream of [false, true]) {
    test(`calls tools, and comes back with their signatures, ${stream ? 'streamed' : 'whole'}`, async () => {
      const call = { functionCall: { name: 'weather', args: { city: 'Bonn' } }, thoughtSignature: 'c2lnbmVk' }
      const second = { functionCall: { name: 'weather', args: { city: 'Köln' } } }
      const parts = [{ text: 'Let me see.' }, call, second]
      const asked = { ...ASKED, tools: [WEATHER], tool_choice: 'required' as const }
      const { answer, seen } = await own.asked(
        stream ? streamed(piece(parts), piece([{ text: '' }], END)) : whole(parts),
        async () =>
          stream
            ? own.openai.chat.completions.stream(asked).finalChatCompletion()
            : own.openai.chat.completions.create(asked),
      )
      assert.deepEqual(seen.json.toolConfig, { functionCallingConfig: { mode: 'ANY' } })
      assert.deepEqual(seen.json.tools, [
        { functionDeclarations: [{ name: 'weather', parametersJsonSchema: (WEATHER as any).function.parameters }] },
      ])
      const [{ message, finish_reason: reason }] = answer.choices as [(typeof answer.choices)[number]]
      const calls = message.tool_calls!
      assert.deepEqual([reason, message.content, calls.length], ['tool_calls', 'Let me see.', 2])
      assert.equal(new Set(calls.map(({ id }) => id)).size, 2)
      const cities = calls.map((one) => (one.type === 'function' ? JSON.parse(one.function.arguments).city : null))
      assert.deepEqual(cities, ['Bonn', 'Köln'])

      const results: ChatCompletionMessageParam[] = calls.map(({ id }, i) => ({
        role: 'tool',
        tool_call_id: id,
        content: `It rains ${i}.`,
      }))
      const next = { ...asked, messages: [...asked.messages, message, ...results] }
      const { seen: turn } = await own.asked(whole([{ text: 'Rain.' }]), () => own.openai.chat.completions.create(next))
      const [, model, user] = turn.json.contents
      const ids = calls.map(({ id }) => id)
      assert.deepEqual(model, {
        role: 'model',
        parts: [
          { text: 'Let me see.' },
          { functionCall: { id: ids[0], ...call.functionCall }, thoughtSignature: call.thoughtSignature },
          { functionCall: { id: ids[1], ...second.functionCall } },
        ],
      })
      assert.deepEqual(user, {
        role: 'user',
        parts: ids.map((id, i) => ({
          functionResponse: { id, name: 'weather', response: { output: `It rains ${i}.` } },
        })),
      })
    })
  }

  test('is refused by a filter', async () => {
    const { answer } = await own.asked(raw('{"promptFeedback":{"blockReason":"SAFETY"}}'), () =>
      own.openai.chat.completions.create(ASKED),
    )
    assert.equal(answer.choices[0]!.finish_reason, 'content_filter')
  })

  test('tells what Gemini does not know', async () => {
    const { answer } = await own.asked(whole([{ text: 'a' }]), () =>
      own.post(CHAT, { ...ASKED, logit_bias: { 1: 1 }, x: 1 }),
    )
    assert.deepEqual(String(answer.headers['x-millrace-dropped-params']).split(/,\s*/).sort(), ['logit_bias', 'x'])
  })
})

describe('a message', () => {
  test('and a count of it are understood', async () => {
    const asked = { model: 'gemini', messages: ASKED.messages, system: 'Be brief.' }
    const parts = [
      { text: 'Hm.', thought: true },
      { text: 'Hello!', thoughtSignature: 'c2lnbmVk' },
    ]
    const { answer } = await own.asked(streamed(piece(parts), piece([], END)), () =>
      own.anthropic.messages
        .stream({ ...asked, max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 1_024 } })
        .finalMessage(),
    )
    const text = answer.content.flatMap((block) => (block.type === 'text' ? [block.text] : []))
    assert.deepEqual([text, answer.stop_reason, answer.usage.output_tokens], [['Hello!'], 'end_turn', 8])

    const next = {
      ...asked,
      messages: [...ASKED.messages, { role: 'assistant' as const, content: answer.content }, ...ASKED.messages],
    }
    const { answer: counted, seen } = await own.asked(raw('{"totalTokens":31}'), () =>
      own.anthropic.messages.countTokens(next),
    )
    assert.equal(counted.input_tokens, 31)
    assert.equal(seen.url, `/proxied/v1beta/models/${MODEL}:countTokens`)
    const { contents, systemInstruction } = seen.json.generateContentRequest
    assert.deepEqual(systemInstruction, { parts: [{ text: 'Be brief.' }] })
    assert.deepEqual(contents[1], { role: 'model', parts: [{ text: 'Hello!', thoughtSignature: 'c2lnbmVk' }] })
  })
})

describe('embeddings', () => {
  test('of more texts than it takes at once are refused unasked', async () => {
    const asked = own.upstream.requests.length
    const input = Array.from({ length: 101 }, (_, i) => `text ${i}`)
    const answer = await own.post('/v1/embeddings', { model: 'gemini', input })
    const expected = { status: 400, type: 'invalid_request_error', code: 'unsupported_endpoint', param: 'input' }
    assert.match(assertError(answer, expected), /at most 100 texts at once: there are 101/)
    assert.equal(own.upstream.requests.length, asked)
  })
})

describe('an error', () => {
  const failing = (status: number, error: object): Behaviour => raw(JSON.stringify({ error }), { status })

  async function told(behaviour: Behaviour, times = 1): ReturnType<typeof own.post> {
    for (let i = 0; i < times; i++) own.upstream.next(behaviour)
    return own.post(CHAT, ASKED)
  }

  test("of the request's is told in the client's shape", async () => {
    const error = { code: 400, message: 'Too deep.', status: 'INVALID_ARGUMENT' }
    const { text } = await told(failing(400, error))
    const { error: seen } = JSON.parse(text)
    assert.deepEqual(
      [seen.message, seen.type, seen.provider_type],
      ['Too deep.', 'invalid_request_error', 'INVALID_ARGUMENT'],
    )
  })

  test("of the gateway's key is not told as the client's fault", async () => {
    const error = { code: 400, message: 'API key not valid. Please pass a valid API key.', status: 'INVALID_ARGUMENT' }
    const answer = await told(failing(400, error))
    assertError(answer, { status: 502, type: 'upstream_error', code: 'upstream_credentials_exhausted' })
    const { attempts } = await own.recordOf(answer)
    assert.equal(attempts[0]!.errorClass, 'upstream_auth')
  })

  test('in a stream is an event', async () => {
    const error = { code: 503, message: 'Overloaded.', status: 'UNAVAILABLE' }
    own.upstream.next(streamed(piece([{ text: 'Hel' }]), { error }))
    const { text } = await own.post(CHAT, { ...ASKED, stream: true })
    assert.match(text, /Hel/)
    assert.match(text, /data: \{"error":\{"message":"[^"]*Overloaded/)
    assert.ok(!text.includes('[DONE]'))
  })

  test('is a stream that ends without its end', async () => {
    own.upstream.next(streamed(piece([{ text: 'Hel' }])))
    const answer = await own.post(CHAT, { ...ASKED, stream: true })
    assert.ok(!answer.text.includes('[DONE]'))
    assert.equal((await own.recordOf(answer)).errorClass, 'stream_truncated')
  })

  for (const [what, body, headers] of [
    ['HTML', '<html>no</html>', { 'content-type': 'text/html' }],
    ['another API', '{"choices":[{"message":{"content":"a"}}]}', {}],
    ['half of one', '{"candidates":[{"content"', {}],
  ] as const) {
    test(`is an answer that is ${what}`, async () => {
      assertError(await told(raw(body, { headers }), 3), {
        status: 502,
        type: 'upstream_error',
        code: 'all_routes_failed',
      })
    })
  }

  test('says when to come back', async () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '41s' }]
    const error = { code: 429, message: 'Quota.', status: 'RESOURCE_EXHAUSTED', details }
    const answer = await told(failing(429, error))
    assert.deepEqual([answer.status, answer.headers['retry-after']], [429, '41'])
  })
})
