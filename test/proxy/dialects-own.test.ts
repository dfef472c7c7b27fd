/** What only some APIs say, or only some providers, as the clients of others hear it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { frame } from '../helpers/upstream/answers.ts'
import { behaviours } from '../helpers/upstream/behaviours.ts'
import { binaryEvents } from '../helpers/upstream/event-stream.ts'
import { heard, heardStream, PATHS, question, streamedQuestion, TALKERS, type Talker } from './dialects/clients.ts'
import { refusalIn } from './dialects/error-forms.ts'
import { PARTIAL_ARGUMENTS, partialCall } from './dialects/fixtures-gemini.ts'
import { logprobs } from './dialects/fixtures-logprobs.ts'
import { responsesOwn, summaries } from './dialects/fixtures-responses.ts'
import {
  callsByTurns,
  chatChunks,
  CITED_TEXT,
  CITED_URL,
  citations,
  oddCalls,
  ownBlocks,
  refusal,
  REFUSAL_TEXT,
  twoChoices,
  type Fixture,
} from './dialects/fixtures.ts'
import { aliasOf, FALLBACK, REPLAYED_BY } from './dialects/kinds.ts'
import { speaking } from './dialects/provider.ts'
import { replayAnswer, replayStream } from './dialects/replay.ts'
import type { Json, Said } from './dialects/said.ts'
import { SCENARIOS } from './dialects/scenarios.ts'
import { useDialects } from './dialects/scene.ts'
import { eventsIn } from './dialects/speakers-events.ts'

const scene = useDialects()

interface Heard {
  readonly said: Said
  readonly text: string
}

/** Both forms of an answer, as a client hears them. */
async function both({ api, answer, events }: Fixture, client: Talker): Promise<Heard[]> {
  const model = aliasOf(REPLAYED_BY[api])
  const lines = events.map((event) => JSON.stringify(event))
  const whole = await scene.ask(replayAnswer(answer), PATHS[client], question(client, model))
  const streamed = await scene.ask(replayStream(api, lines), PATHS[client], streamedQuestion(client, model))
  return [
    { said: heard(client, whole.answer, client !== api), text: whole.answer.text },
    { said: heardStream(client, streamed.answer, client !== api), text: streamed.answer.text },
  ]
}

for (const client of TALKERS) {
  describe(`for ${client}`, () => {
    test('a refusal', async () => {
      for (const { said } of await both(refusal, client)) {
        assert.equal(said.text + said.refusal, REFUSAL_TEXT)
        assert.equal(said.finish, 'filtered')
      }
    })

    for (const fixture of citations) {
      test(`citations of ${fixture.api}`, async () => {
        for (const { said, text } of await both(fixture, client)) {
          assert.equal(said.text, CITED_TEXT)
          assert.deepEqual(said.calls, [], 'searches of the provider are no calls for the client')
          assert.ok(text.includes(CITED_URL), `the page is told: ${text}`)
        }
      })
    }

    test('a call whose arguments come one after another', async () => {
      for (const { said } of await both(partialCall, client)) {
        assert.deepEqual(said.calls, [{ name: 'weather', arguments: PARTIAL_ARGUMENTS }])
        assert.equal(said.finish, 'tool_calls')
      }
    })

    test('thoughts that are summed up in parts', async () => {
      for (const { said } of await both(summaries, client)) {
        assert.match(said.reasoning, /^\*\*First\*\* part\.\s*\*\*Second\*\* part\.$/)
        assert.equal(said.text, CITED_TEXT)
      }
    })

    for (const [name, fixture] of Object.entries({ ...ownBlocks, ...responsesOwn })) {
      test(name, async () => {
        for (const { said } of await both(fixture, client)) {
          assert.equal(said.text, CITED_TEXT)
          assert.equal(said.finish, 'stop')
          assert.deepEqual(said.calls, [])
        }
      })
    }

    if (client === 'chat') return

    test('two calls by turns', async () => {
      const lines = chatChunks(callsByTurns, 'tool_calls').map((chunk) => JSON.stringify(chunk))
      const body = streamedQuestion(client, aliasOf('OPENAI_COMPATIBLE'))
      const { answer } = await scene.ask(replayStream('chat', lines), PATHS[client], body)
      const call = { name: 'weather', arguments: { city: 'Oslo' } }
      assert.deepEqual(heardStream(client, answer, true).calls, [call, call])
    })

    for (const [name, deltas] of Object.entries(oddCalls)) {
      test(`a call ${name}`, async () => {
        const lines = chatChunks(deltas, 'tool_calls').map((chunk) => JSON.stringify(chunk))
        const body = streamedQuestion(client, aliasOf('OPENAI_COMPATIBLE'))
        const { answer } = await scene.ask(replayStream('chat', lines), PATHS[client], body)
        const { calls, finish } = heardStream(client, answer, true)
        assert.deepEqual(calls, [{ name: 'weather', arguments: { city: 'Oslo' } }])
        assert.equal(finish, 'tool_calls')
      })
    }
  })
}

describe('log probabilities, for chat', () => {
  for (const { api, answer } of logprobs) {
    test(`of ${api}`, async () => {
      const body = question('chat', aliasOf(REPLAYED_BY[api]), { logprobs: true, top_logprobs: 1 })
      const told = await scene.ask(replayAnswer(answer), PATHS.chat, body)
      heard('chat', told.answer, true)
      const [first] = JSON.parse(told.answer.text).choices[0].logprobs.content
      assert.deepEqual([first.token, first.logprob], ['Hi', -0.5])
      assert.deepEqual([first.top_logprobs[0].token, first.top_logprobs[0].logprob], ['Hi', -0.5])
    })
  }
})

describe('several choices', () => {
  test("of Gemini for OpenAI's clients", async () => {
    const body = question('chat', aliasOf('GEMINI'), { n: 2 })
    const { answer, seen } = await scene.ask(replayAnswer(twoChoices.gemini), PATHS.chat, body)
    heard('chat', answer, true)
    const { choices } = JSON.parse(answer.text)
    assert.deepEqual(
      choices.map(({ index, message }: Json) => [index, message.content]),
      [
        [0, 'Heads'],
        [1, 'Tails'],
      ],
    )
    assert.equal(seen.json.generationConfig.candidateCount, 2)
  })

  for (const client of ['responses', 'messages'] as const) {
    test(`the first is what ${client} can say`, async () => {
      const { answer } = await scene.ask(
        replayAnswer(twoChoices.chat),
        PATHS[client],
        question(client, aliasOf('OPENAI_COMPATIBLE')),
      )
      assert.equal(heard(client, answer, true).text, 'Heads')
    })
  }
})

describe('framing', () => {
  for (const [name, framing] of Object.entries({
    'ends of lines as of Windows': { newline: '\r\n' },
    'no spaces': { space: false },
    comments: { before: ': keep-alive' },
    'other names of events': { before: 'event: message\nid: 7' },
    'no last blank line': { lastBlankLine: false },
  } as const)) {
    for (const api of ['messages', 'gemini', 'chat'] as const) {
      test(`${name}, of ${api}`, async () => {
        const lines = eventsIn(api, SCENARIOS.text)
        const bytes = frame(lines, { done: api === 'chat' ? '[DONE]' : null, ...framing }).join('')
        const headers = { 'content-type': 'text/event-stream' }
        const body = streamedQuestion('responses', aliasOf(REPLAYED_BY[api]))
        const { answer } = await scene.ask(behaviours.raw(bytes, { headers }), PATHS.responses, body)
        assert.equal(heardStream('responses', answer, true).text, 'Hello from there.')
      })
    }
  }

  test('a frame of Bedrock that is broken', async () => {
    const frames = [Buffer.from('not a frame at all, but long enough to be one')]
    const body = streamedQuestion('chat', aliasOf('BEDROCK'))
    const { answer } = await scene.ask(binaryEvents(frames), PATHS.chat, body)
    assert.equal(answer.status, 502, answer.text)
  })
})

describe('another kind of provider answers where the first fails', () => {
  for (const client of TALKERS) {
    for (const stream of [false, true]) {
      test(`for ${client}${stream ? ', streamed' : ''}`, async () => {
        scene.upstream.otherwise = speaking()
        scene.upstream.next(refusalIn('messages', 529))
        const body = stream ? streamedQuestion(client, FALLBACK) : question(client, FALLBACK)
        const answer = await scene.post(PATHS[client], body)
        const said = stream ? heardStream(client, answer, true) : heard(client, answer, true)
        assert.equal(said.text, 'Hello from there.')
        assert.equal(answer.headers['x-millrace-provider'], 'gemini')
        assert.equal(answer.headers['x-millrace-attempts'], '2')
        const { attempts } = await scene.recordOf(answer)
        assert.deepEqual(
          attempts.map(({ errorClass }) => errorClass),
          ['upstream_5xx', null],
        )
      })
    }
  }
})

describe('an endpoint that the first kind of provider lacks', () => {
  test('is asked of the next', async () => {
    scene.upstream.otherwise = speaking()
    const answer = await scene.post('/v1/embeddings', { model: FALLBACK, input: 'Some text.' })
    assert.equal(answer.status, 200, answer.text)
    assert.equal(answer.headers['x-millrace-provider'], 'gemini')
  })
})

describe('usage that a client did not ask for', () => {
  for (const api of ['messages', 'gemini', 'converse', 'responses'] as const) {
    test(`is not told to chat by ${api}, but recorded`, async () => {
      const body = question('chat', aliasOf(REPLAYED_BY[api]), { stream: true })
      const { answer } = await scene.ask(replayStream(api, eventsIn(api, SCENARIOS.text)), PATHS.chat, body)
      assert.equal(heardStream('chat', answer, true).usage, null)
      assert.ok(!answer.text.includes('"choices":[]'))
      const { usage } = await scene.recordOf(answer)
      assert.deepEqual([usage.inputTokens, usage.outputTokens, usage.source], [21, 13, 'PROVIDER'])
    })
  }
})

describe("the upstream's name of a request", () => {
  for (const api of ['messages', 'converse', 'chat', 'responses'] as const) {
    test(`of ${api} comes with its answer`, async () => {
      const body = streamedQuestion('messages', aliasOf(REPLAYED_BY[api]))
      const { answer } = await scene.ask(replayStream(api, eventsIn(api, SCENARIOS.text)), PATHS.messages, body)
      assert.match(String(answer.headers['x-millrace-upstream-request-id']), /^req-of-/)
    })
  }
})
